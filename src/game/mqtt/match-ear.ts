import { pause } from "../../platform/clock.ts";
import type { UserName } from "../../protocol/ids.ts";
import type { MatchId } from "../../protocol/matches.ts";
import type { MatchChat } from "../match-chat.ts";

/** What a door needs of the chat of matches. */
export type ChatPort = Pick<MatchChat, "say" | "hear">;

/** The longest time in ms for which a client that begins to hear a match waits for its chat. */
const patienceMs = 1_000;

/** Hears the chat of the match in which a client's player sits. */
export class MatchEar implements Disposable {
  readonly #chat: ChatPort | undefined;
  readonly #onSaid: (match: MatchId, user: UserName, text: string) => void;
  #match: MatchId | undefined;
  #hearing: Promise<Disposable | undefined> | undefined;

  constructor(
    chat: ChatPort | undefined,
    onSaid: (match: MatchId, user: UserName, text: string) => void,
  ) {
    this.#chat = chat;
    this.#onSaid = onSaid;
  }

  /** Hears this match from now on, and no other. */
  follow(match: MatchId | undefined, who: { user: UserName; token: string | undefined }): void {
    if (match === this.#match || this.#chat === undefined) return;
    this[Symbol.dispose]();
    this.#match = match;
    if (match === undefined) return;
    const onSaid = (user: UserName, text: string) => this.#onSaid(match, user, text);
    this.#hearing = this.#chat.hear({ ...who, match }, onSaid).catch(() => undefined);
  }

  /**
   * Resolves once all is heard that is said from then on, or after a short while: if the cluster does
   * not answer, the match goes on without its chat.
   */
  async isHearing(): Promise<void> {
    const patience = new AbortController();
    await Promise.race([this.#hearing, pause(patienceMs, patience.signal)]);
    patience.abort();
  }

  [Symbol.dispose](): void {
    void this.#hearing?.then((hearing) => hearing?.[Symbol.dispose]());
    this.#hearing = undefined;
    this.#match = undefined;
  }
}
