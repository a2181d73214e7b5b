import type { RequestId, UserName } from "../../protocol/ids.ts";
import { type Decided, keyOf } from "../../protocol/operation.ts";
import type { Vector } from "../../protocol/vector.ts";
import { Accounts } from "../core/accounts/accounts.ts";
import { ChatState } from "../core/chat/chat-state.ts";
import { Matches } from "../core/matches/matches.ts";
import { Shop } from "../core/shop/shop.ts";

/**
 * A part of the cluster's state: as much as some requests need to be decided. What is missing here
 * may well exist.
 */
export class Slice {
  readonly chat = new ChatState({
    channelMessages: Number.MAX_SAFE_INTEGER,
    userMessages: Number.MAX_SAFE_INTEGER,
    userLogins: Number.MAX_SAFE_INTEGER,
  });
  readonly accounts = new Accounts();
  readonly shop = new Shop();
  readonly matches = new Matches(Number.MAX_SAFE_INTEGER);
  /** For each origin, its highest `seq` on disk. */
  committed: Vector = {};
  /** The highest clock of all events on disk. */
  clock = 0;
  /** The slot of the last decided operation. */
  applied = 0;
  /** For users of whom operations are forgotten: the slot of the last one (D9). */
  readonly forgotten = new Map<UserName, number>();
  /** The events of the chat that were added, since several queries may find the same one. */
  readonly loaded = new Set<string>();
  readonly #decided = new Map<string, Decided>();

  /** Returns what came of an operation, if it was needed. */
  find(by: UserName, id: RequestId | undefined): Decided | undefined {
    return id === undefined ? undefined : this.#decided.get(keyOf({ by, id }));
  }

  remember(decided: Decided): void {
    this.#decided.set(keyOf(decided.operation), decided);
  }
}
