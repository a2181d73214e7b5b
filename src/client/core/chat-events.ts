import type { Receipt } from "../../protocol/client-messages.ts";
import type { ChannelName, UserName } from "../../protocol/ids.ts";
import type { Entry } from "../../protocol/publications.ts";
import type { Vector } from "../../protocol/vector.ts";
import type { Text } from "../../texts/texts.ts";
import type { Connection, ConversationKey, Presence, SavedChat, Size } from "./chat-model.ts";
import type { Key } from "./keys.ts";
import type { Outgoing } from "./outgoing.ts";
import type { Target } from "./target.ts";

/** What comes to the chat from the person, the servers and the clock. */
export type ChatEvent =
  | { readonly type: "key"; readonly key: Key }
  | { readonly type: "resize"; readonly size: Size }
  | { readonly type: "tick"; readonly nowMs: number }
  | { readonly type: "started"; readonly saved: SavedChat; readonly channels: readonly string[] }
  /** Publications, in the order in which they came. */
  | { readonly type: "entries"; readonly entries: readonly Entry[] }
  /** A conversation's newest messages, and the place before which there are more. */
  | {
      readonly type: "joined";
      readonly target: Target;
      readonly entries: readonly Entry[];
      readonly next: string | undefined;
    }
  | { readonly type: "notJoined"; readonly channel: ChannelName; readonly why: string }
  /** Who wrote in private since an earlier chat, and up to where that was looked for. */
  | {
      readonly type: "found";
      readonly users: readonly UserName[];
      readonly heard: Vector;
    }
  /** What comes before the oldest message of a conversation. */
  | {
      readonly type: "older";
      readonly key: ConversationKey;
      /** The place that was asked for: by now the conversation may begin elsewhere. */
      readonly before: string;
      readonly entries: readonly Entry[];
      readonly next: string | undefined;
    }
  | { readonly type: "notOlder"; readonly key: ConversationKey }
  | { readonly type: "queued"; readonly outgoing: Outgoing }
  | { readonly type: "sent"; readonly outgoing: Outgoing; readonly receipt: Receipt }
  | { readonly type: "refused"; readonly outgoing: Outgoing; readonly why: string }
  | { readonly type: "connection"; readonly connection: Connection }
  | {
      readonly type: "served";
      readonly server: string;
      readonly roundTripMs: number;
      readonly clock: number;
    }
  | { readonly type: "presence"; readonly users: ReadonlyMap<UserName, Presence> }
  | {
      readonly type: "names";
      readonly users?: readonly string[];
      readonly channels?: readonly string[];
    }
  | {
      readonly type: "notice";
      readonly lines: readonly string[];
      readonly isProblem?: boolean;
      /** The person has not asked for it just now: who reads further up stays there. */
      readonly isAside?: boolean;
    }
  | { readonly type: "language"; readonly language: string; readonly words: Text };

/** What the servers, or the machine, are asked for. */
export type Question = "users" | "channels" | "status" | "time";

/** What the shell does, in the order given. */
export type ChatEffect =
  | { readonly type: "send"; readonly target: Target; readonly text: string }
  /** With what was read of it, if it is known: all that is not counts. */
  | { readonly type: "join"; readonly target: Target; readonly read: Vector | undefined }
  | { readonly type: "create" | "part"; readonly channel: ChannelName }
  | { readonly type: "fetch"; readonly target: Target; readonly before: string }
  | { readonly type: "ask"; readonly question: Question }
  | { readonly type: "away"; readonly isAway: boolean }
  | { readonly type: "language"; readonly name: string }
  /** All users and channels there are, for the quick switch. */
  | { readonly type: "names" }
  /** What was read, or where the person is; the latter at once. */
  | { readonly type: "save"; readonly isUrgent: boolean }
  | { readonly type: "redraw" }
  /** Shows lines in place of the chat, unwrapped, until a key is pressed. */
  | { readonly type: "show"; readonly lines: readonly string[] }
  | { readonly type: "suspend" }
  | { readonly type: "quit" };
