import type { Receipt } from "../../protocol/client-messages.ts";
import type { ChannelName, UserName } from "../../protocol/ids.ts";
import type { Entry } from "../../protocol/publications.ts";
import type { Vector } from "../../protocol/vector.ts";
import type { Text } from "../../texts/texts.ts";
import type { Connection, ConversationKey, Presence, SavedChat, Size } from "./chat-model.ts";
import type { Key } from "./keys.ts";
import type { Outgoing } from "./outgoing.ts";
import type { Target } from "./target.ts";

/** An event of the chat: from the person, the servers or the clock. */
export type ChatEvent =
  | { readonly type: "key"; readonly key: Key }
  | { readonly type: "resize"; readonly size: Size }
  | { readonly type: "tick"; readonly nowMs: number }
  | { readonly type: "started"; readonly saved: SavedChat; readonly channels: readonly string[] }
  /** Publications, in the order of their arrival. */
  | { readonly type: "entries"; readonly entries: readonly Entry[] }
  /** A conversation's newest messages; `next` is the place before which older messages exist. */
  | {
      readonly type: "joined";
      readonly target: Target;
      readonly entries: readonly Entry[];
      readonly next: string | undefined;
    }
  | { readonly type: "notJoined"; readonly channel: ChannelName; readonly why: string }
  /**
   * The users with whom the person exchanged private messages since the saved chat; `heard` covers
   * these messages.
   */
  | {
      readonly type: "found";
      readonly users: readonly UserName[];
      readonly heard: Vector;
    }
  /** A page of the messages before a conversation's oldest fetched message. */
  | {
      readonly type: "older";
      readonly key: ConversationKey;
      /**
       * The place before which the page was requested. If the conversation's `older` has changed,
       * the page is dropped.
       */
      readonly before: string;
      readonly entries: readonly Entry[];
      readonly next: string | undefined;
    }
  | { readonly type: "notOlder"; readonly key: ConversationKey }
  /** What a search has found, oldest first; `isCut` if it may have found more. */
  | {
      readonly type: "searched";
      readonly target: Target;
      readonly words: string;
      readonly entries: readonly Entry[];
      readonly isCut: boolean;
    }
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
      /**
       * True if the person did not ask for the notice; the chat then does not scroll to the notice.
       */
      readonly isAside?: boolean;
    }
  | { readonly type: "language"; readonly language: string; readonly words: Text };

export type EventOf<T extends ChatEvent["type"]> = Extract<ChatEvent, { readonly type: T }>;

/** A question to the servers or the reference. */
export type Question = "users" | "channels" | "status" | "time";

/** An action of the shell; actions are performed in the given order. */
export type ChatEffect =
  | { readonly type: "send"; readonly target: Target; readonly text: string }
  /**
   * Messages are fetched back to `read`, the conversation's read mark; without a read mark, only
   * the newest page.
   */
  | { readonly type: "join"; readonly target: Target; readonly read: Vector | undefined }
  | { readonly type: "create" | "part"; readonly channel: ChannelName }
  | { readonly type: "fetch"; readonly target: Target; readonly before: string }
  | { readonly type: "search"; readonly target: Target; readonly words: string }
  | { readonly type: "ask"; readonly question: Question }
  | { readonly type: "away"; readonly isAway: boolean }
  | { readonly type: "language"; readonly name: string }
  /** Requests all users and channels, for the quick switch. */
  | { readonly type: "names" }
  /** Saves the chat: at once if `isUrgent`, else within a second. */
  | { readonly type: "save"; readonly isUrgent: boolean }
  | { readonly type: "redraw" }
  /** Shows lines in place of the chat, unwrapped, until a key is pressed. */
  | { readonly type: "show"; readonly lines: readonly string[] }
  | { readonly type: "suspend" }
  /** Opens the screen of a match, until the person leaves it. */
  | { readonly type: "duel" }
  | { readonly type: "quit" };
