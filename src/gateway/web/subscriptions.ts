import type { ConversationKey } from "../../client/core/chat-model.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { Entry } from "../../protocol/publications.ts";
import type { GatewayFrame } from "../core/frames.ts";
import { pause } from "./browser.ts";
import type { GatewayLink } from "./gateway-link.ts";

interface SubscriptionEvents {
  onEntry(entry: Entry): void;
  /** Called where messages are missing because the servers no longer keep them. */
  onGap(conversation: ConversationKey): void;
  onRefused(conversation: ConversationKey, error: ProtocolError): void;
}

const pauseMs = 1_000;

/** The page's subscriptions, each with the position from which a new connection goes on. */
export class Subscriptions {
  readonly #link: GatewayLink;
  readonly #events: SubscriptionEvents;
  readonly #positions = new Map<ConversationKey, string>();
  /** The subscriptions of the present connection. */
  readonly #asked = new Set<ConversationKey>();
  #connection = 0;

  constructor(link: GatewayLink, events: SubscriptionEvents) {
    this.#link = link;
    this.#events = events;
  }

  positionOf(conversation: ConversationKey): string | undefined {
    return this.#positions.get(conversation);
  }

  /** Subscribes from a position on, also over each later connection. */
  add(conversation: ConversationKey, position: string): void {
    this.#positions.set(conversation, position);
    void this.#subscribe(conversation);
  }

  remove(conversation: ConversationKey): void {
    this.#positions.delete(conversation);
    if (!this.#asked.delete(conversation)) return;
    void this.#link.ask({ type: "unsubscribe", conversation }).catch(() => {});
  }

  /** Subscribes again, over a new connection. */
  renew(): void {
    this.#connection += 1;
    this.#asked.clear();
    for (const conversation of this.#positions.keys()) void this.#subscribe(conversation);
  }

  take(frame: GatewayFrame): void {
    switch (frame.type) {
      case "subscribed":
        if (!frame.recovered) this.#events.onGap(frame.conversation);
        return;
      case "gap":
        return this.#events.onGap(frame.conversation);
      case "message":
        if (!this.#positions.has(frame.conversation)) return;
        this.#raise(frame.conversation, frame.position);
        return this.#events.onEntry(frame.entry);
      default:
    }
  }

  #raise(conversation: ConversationKey, position: string | undefined): void {
    if (position !== undefined && this.#positions.has(conversation)) {
      this.#positions.set(conversation, position);
    }
  }

  async #subscribe(conversation: ConversationKey): Promise<void> {
    const connection = this.#connection;
    await this.#link.connected();
    while (connection === this.#connection && !this.#asked.has(conversation)) {
      const position = this.#positions.get(conversation);
      if (position === undefined) return;
      this.#asked.add(conversation);
      try {
        const answer = await this.#link.ask({ type: "subscribe", conversation, position });
        if (answer.type === "caught_up") this.#raise(conversation, answer.position);
        return;
      } catch (error) {
        if (connection !== this.#connection) return;
        this.#asked.delete(conversation);
        if (!(error instanceof ProtocolError)) throw error;
        if (!error.retry) {
          this.#positions.delete(conversation);
          return this.#events.onRefused(conversation, error);
        }
        await pause((error.wait ?? 0) * 1_000 + pauseMs);
      }
    }
  }
}
