import type { Session } from "../../client/session.ts";
import type { ChannelName, UserName } from "../../protocol/ids.ts";
import type { Entry } from "../../protocol/publications.ts";
import type { ConversationName } from "../../protocol/topics.ts";
import type { MutableVector, Vector } from "../../protocol/vector.ts";
import type { ConversationText, GatewayFrame } from "../core/frames.ts";
import { writePosition } from "../position.ts";

type Told = Extract<GatewayFrame, { readonly type: "subscribed" | "message" | "gap" }>;

interface Start {
  /** The vector to go on from. */
  readonly since?: Vector | undefined;
  /** Without `since`: how many past messages come first. */
  readonly last?: number | undefined;
}

function conversationName(text: ConversationText): ConversationName {
  const name = text.slice(1);
  return text.startsWith("#") ? { channel: name as ChannelName } : { user: name as UserName };
}

/** One client's subscriptions, as frames for the client. */
export class Following {
  readonly #session: Session;
  readonly #tell: (frame: Told) => void;
  /** For each conversation, what returns the vector of what was delivered. */
  readonly #places = new Map<ConversationText, () => Vector>();

  constructor(session: Session, tell: (frame: Told) => void) {
    this.#session = session;
    this.#tell = tell;
  }

  get size(): number {
    return this.#places.size;
  }

  /** Where the subscriptions are: for each conversation, the vector of what was delivered. */
  get places(): ReadonlyMap<ConversationText, Vector> {
    return new Map([...this.#places].map(([text, place]) => [text, place()]));
  }

  /**
   * Subscribes to a conversation. Tells `subscribed`, then the messages since the start, and after
   * the promise each new message.
   * @returns the position after the messages since the start
   * @throws ProtocolError such as `channel_not_found`
   */
  async follow(conversation: ConversationText, { since, last }: Start): Promise<string> {
    let isAnnounced = false;
    const announce = (recovered: boolean) => {
      if (!isAnnounced) this.#tell({ type: "subscribed", conversation, recovered });
      isAnnounced = true;
    };
    // The subscription itself exists only after it has delivered its first messages.
    const first: MutableVector | undefined = since && { ...since };
    if (first !== undefined) this.#places.set(conversation, () => first);
    const deliver = (entry: Entry) => {
      announce(true);
      if (first !== undefined) first[entry.server] = entry.seq;
      const vector = this.#places.get(conversation)?.();
      const position = vector && writePosition(vector);
      this.#tell({ type: "message", conversation, entry, position });
    };
    const subscription = await this.#session.subscribe(conversationName(conversation), deliver, {
      since,
      last,
      own: true,
      onMissed: () => {
        if (isAnnounced) this.#tell({ type: "gap", conversation });
        announce(false);
      },
    });
    this.#places.set(conversation, () => subscription.vector);
    announce(true);
    return writePosition(subscription.vector);
  }

  unfollow(conversation: ConversationText): void {
    this.#session.unsubscribe(conversationName(conversation));
    this.#places.delete(conversation);
  }
}
