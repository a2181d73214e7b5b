import type { Session } from "../../client/session.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { Entry } from "../../protocol/publications.ts";
import type { Vector } from "../../protocol/vector.ts";
import { type ConversationText, conversationName, type GatewayFrame } from "../core/frames.ts";
import { writePosition } from "../position.ts";

interface FollowingEvents {
  tell(frame: Extract<GatewayFrame, { readonly type: "subscribed" | "gap" }>): void;
  /** @param place the vector after the entry, which changes with the next entry */
  deliver(conversation: ConversationText, entry: Entry, place: Vector): void;
}

interface Start {
  /** The vector to go on from. */
  readonly since?: Vector | undefined;
  /** Without `since`: how many past messages come first. */
  readonly last?: number | undefined;
}

interface Follow {
  /** The vector of what was delivered; undefined until it is known. */
  place: Vector | undefined;
}

const mostSubscriptions = 250;

/** One client's subscriptions, as frames for the client. */
export class Following {
  static readonly most = mostSubscriptions;
  readonly #session: Session;
  readonly #events: FollowingEvents;
  readonly #follows = new Map<ConversationText, Follow>();

  constructor(session: Session, events: FollowingEvents) {
    this.#session = session;
    this.#events = events;
  }

  /** Where the subscriptions are: for each conversation, the vector of what was delivered. */
  get places(): ReadonlyMap<ConversationText, Vector> {
    const places = new Map<ConversationText, Vector>();
    for (const [text, { place }] of this.#follows) if (place !== undefined) places.set(text, place);
    return places;
  }

  /**
   * Subscribes to a conversation. Tells `subscribed`, then delivers the messages since the start, and
   * after the promise each new message.
   * @returns the position after the messages since the start
   * @throws ProtocolError such as `channel_not_found`
   */
  async follow(conversation: ConversationText, start: Start): Promise<string> {
    if (this.#follows.has(conversation)) {
      throw new ProtocolError("bad_request", `${conversation} is subscribed already.`);
    }
    if (this.#follows.size >= mostSubscriptions) {
      const sentence = `A connection may have ${mostSubscriptions} subscriptions.`;
      throw new ProtocolError("too_large", sentence);
    }
    const follow: Follow = { place: start.since };
    this.#follows.set(conversation, follow);
    try {
      return await this.#begin(conversation, follow, start);
    } catch (error) {
      if (this.#isCurrent(conversation, follow)) this.#follows.delete(conversation);
      throw error;
    }
  }

  unfollow(conversation: ConversationText): void {
    this.#session.unsubscribe(conversationName(conversation));
    this.#follows.delete(conversation);
  }

  end(): void {
    for (const conversation of [...this.#follows.keys()]) this.unfollow(conversation);
  }

  async #begin(conversation: ConversationText, follow: Follow, start: Start): Promise<string> {
    let isAnnounced = false;
    const announce = (recovered: boolean) => {
      if (!isAnnounced) this.#events.tell({ type: "subscribed", conversation, recovered });
      isAnnounced = true;
    };
    const deliver = (entry: Entry, place: Vector) => {
      announce(true);
      follow.place = place;
      this.#events.deliver(conversation, entry, place);
    };
    const subscription = await this.#session.subscribe(conversationName(conversation), deliver, {
      ...start,
      own: true,
      onMissed: () => {
        if (isAnnounced) this.#events.tell({ type: "gap", conversation });
        announce(false);
      },
    });
    if (!this.#isCurrent(conversation, follow)) {
      throw new ProtocolError("bad_request", `${conversation} was unsubscribed meanwhile.`);
    }
    follow.place = subscription.place;
    announce(true);
    return writePosition(subscription.place);
  }

  #isCurrent(conversation: ConversationText, follow: Follow): boolean {
    return this.#follows.get(conversation) === follow;
  }
}

/**
 * Asks for something that only a valid session gets, which also renews its token (A2).
 * @returns the error `unauthenticated` if the session has ended
 */
export async function endOf(session: Session): Promise<ProtocolError | undefined> {
  try {
    await session.ask("channels", { limit: 1 });
  } catch (error) {
    if (error instanceof ProtocolError && error.code === "unauthenticated") return error;
  }
  return undefined;
}
