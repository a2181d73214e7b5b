import { setTimeout as pause } from "node:timers/promises";
import type { RequestLog } from "../../platform/log.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { textIfAny } from "../../protocol/fields.ts";
import { parseGameRequest } from "../../protocol/game-codec.ts";
import { gameDurations } from "../../protocol/game-limits.ts";
import type { GameRequest, Look, LookedAt } from "../../protocol/game-requests.ts";
import type { ShownEvent } from "../../protocol/game-view.ts";
import { parseUserName, type UserName } from "../../protocol/ids.ts";
import type { MatchId } from "../../protocol/matches.ts";
import type { Players } from "../players.ts";
import { refusalOf } from "../refusals.ts";
import { type Act, actOf, chatId, hasHappened, roundOf } from "./commands.ts";
import { type Command, parseCommand } from "./envelope.ts";
import { EventFeed, type Outlet } from "./event-feed.ts";
import { type ChatPort, MatchEar } from "./match-ear.ts";
import { personalMessages } from "./match-messages.ts";
import { clientEvents, commandTopic, eventTopic, matchEvents } from "./topics.ts";

export interface PlayerParts {
  readonly players: Pick<Players, "ask" | "logIn">;
  readonly log: Pick<RequestLog, "write">;
  /** What clients are told as the name of their server. */
  readonly name: string;
  /** Undefined if players can't chat here. */
  readonly chat?: ChatPort | undefined;
}

/** A command as it arrives. */
interface Packet {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: number;
}

/** Milliseconds that a client has to log in. */
const loginMs = 30_000;
const mostFailedLogins = 3;
/** What the clients of the origin take as a temporary id. */
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** Milliseconds between two looks of which the first one failed. */
const againMs = 500;
/** After these errors, a request may have taken effect, or may still do so. */
const unknownOutcomes: ReadonlySet<string> = new Set(["unavailable", "internal", "behind"]);

/** One connection of a player: its login, its commands one after the other, and what it hears. */
export class MqttPlayer implements Disposable {
  readonly #parts: PlayerParts;
  readonly #outlet: Outlet;
  readonly #feed: EventFeed;
  readonly #ear: MatchEar;
  readonly #clientId: string;
  readonly #loginTimer: NodeJS.Timeout;
  #user: UserName | undefined;
  #token: string | undefined;
  /** The id that the client has made up until it has logged in. */
  #temporary: string | undefined;
  #failedLogins = 0;
  #turn: Promise<unknown> = Promise.resolve();
  /** Whether a command had no outcome, so that the connection ends. */
  #isBroken = false;
  /** Resolves once it is known in which match the player sits. */
  readonly #firstLook: Promise<void>;
  #onFirstLook: () => void = () => {};

  /** @param clientId what the client calls itself */
  constructor(parts: PlayerParts, outlet: Outlet, clientId: string) {
    this.#parts = parts;
    this.#outlet = outlet;
    this.#clientId = clientId;
    this.#feed = new EventFeed(outlet);
    this.#ear = new MatchEar(parts.chat, (match, user, texto) => {
      const dados = { nomeJogador: user, texto };
      void this.#feed.tell([matchEvents(match)], { comando: "RECEBER_CHAT", dados });
    });
    this.#firstLook = new Promise((resolve) => {
      this.#onFirstLook = resolve;
    });
    this.#loginTimer = setTimeout(() => outlet.close(), loginMs).unref();
  }

  /** The connection has ended. */
  [Symbol.dispose](): void {
    clearTimeout(this.#loginTimer);
    this.#ear[Symbol.dispose]();
    this.#onFirstLook();
  }

  /** @throws ProtocolError */
  async logIn(name: unknown, password: string | undefined): Promise<UserName> {
    const user = parseUserName(name, "nome");
    const token = await this.#parts.players.logIn(user, password);
    if (this.#outlet.isClosed) return user;
    clearTimeout(this.#loginTimer);
    this.#user = user;
    this.#token = token;
    this.#feed.user = user;
    void this.#watch(user);
    return user;
  }

  /** Whether the client may hear a topic: only its own ones. */
  async mayHear(topic: string): Promise<boolean> {
    const wanted = eventTopic(topic);
    if (wanted?.kind === "client") return this.#isOwn(wanted.client);
    if (wanted === undefined || this.#user === undefined) return false;
    await this.#firstLook;
    if (this.#feed.match !== wanted.match) return false;
    await this.#ear.isHearing();
    return true;
  }

  hear(topic: string, qos: 0 | 1): void {
    this.#feed.hear(topic, qos);
  }

  leave(topic: string): void {
    this.#feed.leave(topic);
  }

  /**
   * Does a command, after those that came before it.
   * @returns whether the command may be acknowledged: it has taken effect, or was refused
   */
  take(packet: Packet): Promise<boolean> {
    const done = this.#turn.then(() => this.#do(packet));
    this.#turn = done;
    return done;
  }

  async #do(packet: Packet): Promise<boolean> {
    // The client sends an unacknowledged command again; done now, it would overtake others.
    if (this.#outlet.isClosed || this.#isBroken) return false;
    try {
      await this.#perform(packet);
      return true;
    } catch (error) {
      const isKnown = error instanceof ProtocolError && !unknownOutcomes.has(error.code);
      if (!isKnown) {
        this.#parts.log.write("info", "No outcome of a command by MQTT", { error: String(error) });
        this.#isBroken = packet.qos > 0;
        if (this.#isBroken) return false;
      }
      await this.#refuse(error, packet.topic);
      return true;
    }
  }

  async #perform({ topic, payload }: Packet): Promise<void> {
    const target = commandTopic(topic);
    if (target === undefined) throw forbidden("Nobody takes commands on this topic.");
    if (target.kind === "login") {
      return this.#takeLogin(target.client, parseCommand(payload, "LOGIN"));
    }
    const user = this.#user;
    if (user === undefined) throw new ProtocolError("unauthenticated", "Log in first.");
    const command = parseCommand(payload, target.kind === "queue" ? "ENTRAR_FILA" : undefined);
    const { cliente_id: named = user } = command.fields;
    const isOther = named !== user || (target.kind === "queue" && target.client !== user);
    if (isOther) throw forbidden("A client gives commands only for itself.");
    if (target.kind === "queue") return this.#enter(command);
    const act = actOf(command, { user, match: target.match });
    if (act !== undefined) return this.#act(act, roundOf(command.fields));
    if (command.name === "ENVIAR_CHAT") return this.#say(user, target.match, command);
    throw new ProtocolError("unknown_service", "There is no such command.");
  }

  async #takeLogin(client: string, { fields }: Command): Promise<void> {
    if (!this.#isOwn(client)) throw forbidden("A client logs in by one temporary id.");
    try {
      if (this.#user === undefined) await this.logIn(fields.nome, textIfAny(fields.senha));
      else if ((fields.nome ?? this.#user) !== this.#user) throw forbidden("Already logged in.");
    } catch (error) {
      this.#failedLogins += 1;
      await this.#refuse(error, clientEvents(client));
      if (this.#failedLogins >= mostFailedLogins) this.#outlet.close();
      return;
    }
    const dados = { cliente_id: this.#user, servidor: this.#parts.name };
    await this.#feed.tell([clientEvents(client)], { comando: "LOGIN_OK", dados });
  }

  async #enter({ fields }: Command): Promise<void> {
    const request = parseGameRequest("enter", { rules: fields.regras ?? "clash" });
    const look = (await this.#ask(request)) as Look;
    this.#feed.enter();
    if (look.phase === "waiting") this.#feed.take(look);
    await this.#feed.deliver();
  }

  async #act(act: Act, round: number | undefined): Promise<void> {
    if (act.action.type === "ready" ? await this.#isReady(act) : await this.#isPast(act, round)) {
      return;
    }
    await this.#ask(act);
  }

  /**
   * Whether the player has made this choice before, and tells it again. A second pack must not be
   * bought for a player that is ready.
   * @throws ProtocolError if the player has made another choice
   */
  async #isReady({ match, action }: Act): Promise<boolean> {
    const look = await this.#look();
    if (look.phase !== "match" || action.type !== "ready") return false;
    const { view, events } = look;
    const isOpen = view.match !== match || view.seat === undefined || !view.ready[view.seat];
    if (isOpen) return false;
    const made = events.find((event) => isChoice(event) && event.data.seat === view.seat);
    const isSame =
      made?.data.pack === action.pack &&
      (action.cards === undefined || String(made?.data.cards) === String(action.cards));
    if (made === undefined || !isSame) throw refusalOf("already_ready");
    for (const message of personalMessages({ view, events: [made] }, 0)) {
      await this.#feed.tell(this.#ownTopics(), message);
    }
    return true;
  }

  /**
   * Whether a move for a round that is over took effect then.
   * @throws ProtocolError if it did not: it must not count for another round
   */
  async #isPast(act: Act, round: number | undefined): Promise<boolean> {
    if (round === undefined || act.action.type === "giveUp") return false;
    const look = await this.#look();
    if (look.phase !== "match" || look.view.match !== act.match) return false;
    const { table, seat } = look.view;
    if (table === undefined || table.round === round) return false;
    if (hasHappened(act, { seat, round }, look.events)) return true;
    throw new ProtocolError("not_your_turn", "Another round is being played.");
  }

  async #say(user: UserName, match: MatchId, { fields }: Command): Promise<void> {
    const { chat } = this.#parts;
    if (chat === undefined) {
      throw new ProtocolError("unsupported", "This game server has no chat.");
    }
    const { texto: text } = fields;
    if (typeof text !== "string" || text === "") {
      throw new ProtocolError("bad_request", "`texto` must be a text.");
    }
    await this.#firstLook;
    if (this.#feed.match !== match) throw refusalOf("match_not_found");
    await chat.say({ user, token: this.#token, match, text, id: chatId(user, fields) });
  }

  /** Looks at the player's match for as long as the connection lasts. */
  async #watch(user: UserName): Promise<void> {
    let after: LookedAt | undefined;
    while (!this.#outlet.isClosed) {
      try {
        const look = await this.#look(after);
        const { match, eventSeq } = look.phase === "match" ? look.view : { eventSeq: -1 };
        after = { match, eventSeq };
        this.#feed.take(look);
        this.#ear.follow(match, { user, token: this.#token });
        this.#onFirstLook();
        // A client that reads slowly is told the next news later, and together.
        await this.#feed.deliver();
      } catch (error) {
        if (error instanceof ProtocolError && !error.retry) {
          await this.#refuse(error, clientEvents(user));
          return this.#outlet.close();
        }
        await pause(againMs, undefined, { ref: false });
      }
    }
  }

  async #look(after?: LookedAt): Promise<Look> {
    const waitMs = after === undefined ? 0 : gameDurations.lookMs;
    return (await this.#ask({ type: "look", after, waitMs })) as Look;
  }

  #ask(request: GameRequest) {
    const user = this.#user as UserName;
    return this.#parts.players.ask({ user, token: this.#token, request });
  }

  async #refuse(error: unknown, topic: string): Promise<void> {
    const { code, message } =
      error instanceof ProtocolError
        ? error
        : new ProtocolError("internal", "The game server has failed.");
    const dados = { mensagem: message, codigo: code, topico: topic };
    await this.#feed.tell([...this.#ownTopics(), topic], { comando: "ERRO", dados });
  }

  #ownTopics(): readonly string[] {
    const ids = [this.#user, this.#temporary];
    return ids.flatMap((id) => (id === undefined ? [] : [clientEvents(id)]));
  }

  /** Whether an id in a topic is this client's: its user's name, or its temporary id. */
  #isOwn(client: string): boolean {
    if (client === this.#user) return true;
    // Once the user is known, what could be another user's name is no temporary id.
    const isFree = this.#user === undefined || client === this.#clientId || uuid.test(client);
    if (isFree) this.#temporary ??= client;
    return client === this.#temporary;
  }
}

function isChoice({ type }: ShownEvent): boolean {
  return type === "PURCHASE_PACK" || type === "DECK_CHOSEN";
}

function forbidden(sentence: string): ProtocolError {
  return new ProtocolError("forbidden", sentence);
}
