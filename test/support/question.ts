import type { ReplyData, SentReply } from "../../src/protocol/client-messages.ts";

/** A payload on its way to a server and back. */
export class Question {
  replies: readonly SentReply[] | undefined;
  /**
   * Whether the reply was lost because the server had disconnected from the brokers before it
   * replied.
   */
  isLost = false;
  readonly cameByBroker: boolean;
  readonly #onReply: ((data: ReplyData) => void) | undefined;

  constructor(cameByBroker: boolean, onReply?: (data: ReplyData) => void) {
    this.cameByBroker = cameByBroker;
    this.#onReply = onReply;
  }

  answer(replies: readonly SentReply[], isLost: boolean): void {
    this.replies = replies;
    this.isLost = isLost;
    if (!isLost && this.reply !== undefined) this.#onReply?.(this.reply);
  }

  /** The fields of the first reply; undefined while no reply has come. */
  get reply(): ReplyData | undefined {
    return this.replies?.[0]?.data;
  }
}
