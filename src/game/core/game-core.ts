import { gameDurations } from "../../protocol/game-limits.ts";
import type { UserName } from "../../protocol/ids.ts";
import type { GameName, MatchId, OpenMatch } from "../../protocol/matches.ts";
import { Desk } from "./desk.ts";
import type { Effect, GameMessage, Input, Now } from "./effects.ts";
import { Figures } from "./figures.ts";
import { Holdings } from "./holdings.ts";
import { type Chance, Invitations } from "./invitations.ts";
import { isLogOf } from "./lawful.ts";
import type { Disk } from "./match-copy.ts";
import type { MatchEvent, Signer } from "./match-event.ts";
import type { MatchState } from "./match-state.ts";
import { Matchmaking } from "./matchmaking.ts";
import { Peers } from "./peers.ts";
import type { Stamp } from "./stamps.ts";

interface Options {
  readonly self: GameName;
  /** Differs at each start of the process. */
  readonly start: string;
  readonly signer: Signer;
  readonly chance: Chance;
  /** The logs that the disk had at the start. */
  readonly logs: ReadonlyMap<MatchId, readonly MatchEvent[]>;
}

/** One game server: turns each input into effects. It uses no socket, no file, no timer. */
export class GameCore {
  readonly matchmaking: Matchmaking;
  readonly holdings: Holdings;
  readonly figures = new Figures();
  readonly #options: Options;
  readonly #peers: Peers;
  readonly #invitations: Invitations;
  readonly #desk: Desk;
  readonly #stored = new Map<number, (now: Now) => void>();
  #effects: Effect[] = [];
  #now: Now;
  #records = 0;
  /** Begins at the time of the start, so that a restarted server counts on. */
  #operations: number;
  #helloMs = Number.NEGATIVE_INFINITY;
  /** Steady time of the last question for the open matches, and whether it is unanswered. */
  #listMs = Number.NEGATIVE_INFINITY;
  #isListing = false;

  constructor(options: Options, now: Now) {
    this.#options = options;
    this.#now = now;
    const { self, signer, chance } = options;
    this.#operations = now.wallMs;
    this.#peers = new Peers(now);
    this.matchmaking = new Matchmaking(self);
    const emit = (effect: Effect) => void this.#effects.push(effect);
    const disk: Disk = {
      store: (record, onStored) => {
        this.#records += 1;
        this.#stored.set(this.#records, onStored);
        emit({ type: "store", number: this.#records, record });
      },
    };
    const shared = { self, signer, disk, emit, tick: () => this.#tick(), figures: this.figures };
    this.holdings = new Holdings({
      ...shared,
      peers: this.#peers,
      recovered: this.#wholeLogs(),
      isInvited: (match) => this.#invitations.has(match),
      onChanged: (state) => this.#changed(state),
    });
    const { matchmaking, holdings } = this;
    this.#desk = new Desk({ ...shared, holdings, matchmaking, peers: this.#peers }, now);
    const onChange = (user: UserName) => this.#desk.changed(user, this.#now);
    this.#invitations = new Invitations({ ...shared, chance, matchmaking, holdings, onChange });
  }

  /** The logs of the disk that are whole. One that is damaged counts as lost. */
  #wholeLogs(): Map<MatchId, readonly MatchEvent[]> {
    const { logs, signer } = this.#options;
    const whole = [...logs].filter(([match, events]) => isLogOf(match, events, signer));
    this.figures.damaged = logs.size - whole.length;
    return new Map(whole);
  }

  step(input: Input, now: Now): readonly Effect[] {
    this.#now = now;
    this.#effects = [];
    switch (input.type) {
      case "tick":
        this.#onTick(now);
        break;
      case "message":
        this.#hear(input.from, input.message, now);
        break;
      case "asked":
        this.#desk.ask(input, now);
        break;
      case "stored":
        this.#onStored(input.upTo, now);
        break;
      case "decided": {
        const { question, decided } = input;
        if (question.service === "matchBegin") {
          this.#invitations.decided(question, decided, now);
        } else this.holdings.decided(question, decided, now);
        break;
      }
      case "located": {
        const { user, match, place } = input;
        if (match !== undefined) this.holdings.located(match, place?.open, now);
        if (place !== undefined) this.#invitations.located(user, place.open, now);
        this.#desk.located(user, place, now);
        break;
      }
      case "listed": {
        const { self } = this.#options;
        const isOwn = ({ host, shadow }: OpenMatch) => host === self || shadow === self;
        const askedMs = this.#listMs;
        this.#isListing = false;
        this.holdings.compare({ matches: input.matches.filter(isOwn), askedMs }, now);
        this.#invitations.listed(input.matches, askedMs, now);
        break;
      }
      case "known":
        this.#peers.known = input.games;
        break;
    }
    if (this.matchmaking.hasNews) {
      this.#invitations.pairUp(now);
      this.#sayHello(now);
    }
    return this.#effects;
  }

  /** Tells the others that this server lives, and whose players wait here. */
  #sayHello(now: Now): void {
    this.matchmaking.hasNews = false;
    this.#helloMs = now.steadyMs;
    const waiting = this.matchmaking.told(now);
    const message: GameMessage = { type: "hello", start: this.#options.start, waiting };
    for (const to of this.#peers.known) this.#effects.push({ type: "send", to, message });
  }

  #onTick(now: Now): void {
    this.#peers.tick(now);
    if (now.steadyMs - this.#helloMs >= gameDurations.helloMs) this.#sayHello(now);
    if (!this.#isListing && now.steadyMs - this.#listMs >= gameDurations.compareMs) {
      this.#isListing = true;
      this.#listMs = now.steadyMs;
      this.#effects.push({ type: "list" });
    }
    this.holdings.tick(now);
    this.matchmaking.forgetGone(now);
    this.#invitations.tick(now);
    this.#desk.tick(now);
  }

  #hear(from: GameName, message: GameMessage, now: Now): void {
    this.#peers.hear(from, now);
    switch (message.type) {
      case "hello":
        if (this.#peers.noteStart(from, message.start)) this.#desk.forgotten(from, now);
        this.matchmaking.hear(from, message.waiting, now);
        return this.#invitations.pairUp(now);
      case "invite":
      case "accepted":
      case "declined":
        return this.#invitations.hear(from, message, now);
      case "asked":
        return this.#desk.take(from, message, now);
      case "answered":
        return this.#desk.answered(from, message);
      case "notHost":
        return this.#desk.notHost(from, message, now);
      case "adopt": {
        this.holdings.hear(from, message, now);
        const adopted = this.holdings.get(message.match);
        if (adopted) this.#invitations.adopted(message.match, adopted.copy.state.players);
        return;
      }
      default:
        return this.holdings.hear(from, message, now);
    }
  }

  #onStored(upTo: number, now: Now): void {
    for (const [number, onStored] of this.#stored) {
      if (number > upTo) break;
      this.#stored.delete(number);
      onStored(now);
    }
  }

  #changed({ players }: MatchState): void {
    for (const { user } of players) this.#desk.changed(user, this.#now);
  }

  #tick(): Stamp {
    this.#operations += 1;
    return { [this.#options.self]: this.#operations };
  }
}
