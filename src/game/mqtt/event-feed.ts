import type { Look } from "../../protocol/game-requests.ts";
import type { UserName } from "../../protocol/ids.ts";
import type { MatchId, RulesName } from "../../protocol/matches.ts";
import type { Message } from "./envelope.ts";
import { type MatchStory, matchMessages, personalMessages } from "./match-messages.ts";
import { clientEvents, matchEvents } from "./topics.ts";

/** The way to one client. */
export interface Outlet {
  readonly isClosed: boolean;
  /** Resolves once the client's connection has room again, or is closed. */
  send(topic: string, message: Message, qos: 0 | 1): Promise<void>;
  close(): void;
}

/** A topic that the client hears, and what it was told there. */
interface Heard {
  readonly qos: 0 | 1;
  match: MatchId | undefined;
  eventSeq: number;
}

/** The most events of one match that are kept. */
const mostEvents = 400;

/**
 * What one client hears. Each topic begins with all that has happened in the present match, because
 * nobody knows how much of it the client got before its connection broke; `eventSeq` tells the client
 * what it has got before. Messages go to this client only, never by way of a shared topic: what the
 * two players of a match may see differs.
 */
export class EventFeed {
  user: UserName | undefined;
  readonly #outlet: Outlet;
  readonly #heard = new Map<string, Heard>();
  #story: MatchStory | undefined;
  /** The rules of the match that the player waits for. */
  #waiting: RulesName | undefined;
  #isWaitTold = false;

  constructor(outlet: Outlet) {
    this.#outlet = outlet;
  }

  /** The player's latest match. */
  get match(): MatchId | undefined {
    return this.#story?.view.match;
  }

  hear(topic: string, qos: 0 | 1): void {
    this.#heard.set(topic, { qos, match: undefined, eventSeq: -1 });
    void this.deliver();
  }

  leave(topic: string): void {
    this.#heard.delete(topic);
  }

  /** The player asks for a match, and is told again if they have to wait. */
  enter(): void {
    this.#isWaitTold = false;
  }

  take(look: Look): void {
    if (look.phase === "match") {
      const { view } = look;
      const known = this.match === view.match ? this.#story : undefined;
      const last = known?.events.at(-1)?.eventSeq ?? -1;
      const news = look.events.filter(({ eventSeq }) => eventSeq > last);
      const events = [...(known?.events ?? []), ...news].slice(-mostEvents);
      this.#story = { view, events };
    }
    this.#waiting = look.phase === "waiting" ? look.rules : undefined;
    if (look.phase !== "waiting") this.#isWaitTold = false;
  }

  /** Sends to each topic what is new there. All is handed over at once, so the order stays. */
  async deliver(): Promise<void> {
    const sent: Promise<void>[] = [];
    for (const [topic, heard] of this.#heard) {
      for (const message of this.#newFor(topic, heard)) {
        sent.push(this.#outlet.send(topic, message, heard.qos));
      }
    }
    await Promise.all(sent);
  }

  /** Sends a message on the first of the topics that the client hears; on none if it hears none. */
  async tell(topics: readonly string[], message: Message): Promise<void> {
    const topic = topics.find((one) => this.#heard.has(one));
    if (topic === undefined) return;
    await this.#outlet.send(topic, message, this.#heard.get(topic)?.qos ?? 0);
  }

  #newFor(topic: string, heard: Heard): readonly Message[] {
    const story = this.#story;
    const isPersonal = this.user !== undefined && topic === clientEvents(this.user);
    const waits = isPersonal ? this.#waitMessages() : [];
    const isOfMatch = story !== undefined && topic === matchEvents(story.view.match);
    if (story === undefined || !(isPersonal || isOfMatch)) return waits;
    const { match, eventSeq } = story.view;
    const after = heard.match === match ? heard.eventSeq : -1;
    heard.match = match;
    heard.eventSeq = Math.max(after, eventSeq);
    const news = isPersonal ? personalMessages(story, after) : matchMessages(story, after);
    return [...waits, ...news];
  }

  #waitMessages(): readonly Message[] {
    if (this.#waiting === undefined || this.#isWaitTold) return [];
    this.#isWaitTold = true;
    const mensagem = "Procurando oponente em todos os servidores...";
    return [{ comando: "AGUARDANDO_OPONENTE", dados: { mensagem, regras: this.#waiting } }];
  }
}
