import type { UserName } from "../../protocol/ids.ts";
import type { MatchId } from "../../protocol/matches.ts";
import type { MatchChat } from "../match-chat.ts";

/** What a door needs of the chat of matches. */
export type ChatPort = Pick<MatchChat, "say" | "hear">;

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
    // If the cluster does not answer, the match goes on without its chat.
    this.#hearing = this.#chat.hear({ ...who, match }, onSaid).catch(() => undefined);
  }

  [Symbol.dispose](): void {
    void this.#hearing?.then((hearing) => hearing?.[Symbol.dispose]());
    this.#hearing = undefined;
    this.#match = undefined;
  }
}
