import type { HookName, RequestId, ServerName, UserName } from "../../protocol/ids.ts";
import type { Vector } from "../../protocol/vector.ts";
import type { Text } from "../../texts/texts.ts";
import type { Completion } from "./completion.ts";
import { type Editor, emptyEditor } from "./line-editor.ts";
import type { Zone } from "./server-time.ts";
import { type Target, writeTarget } from "./target.ts";

/** A message as stored by the servers. Its clock and server define its place in the total order. */
export interface Message {
  readonly kind: "message";
  readonly user: UserName;
  /** The hook that wrote the message in the name of `user`. */
  readonly hook?: HookName | undefined;
  readonly text: string;
  readonly timeMs: number;
  readonly clock: number;
  readonly server: ServerName;
  readonly seq: number;
  readonly id: string;
}

/** A message of this person without a receipt yet. */
export interface Pending {
  readonly kind: "pending";
  readonly id: RequestId;
  readonly user: UserName;
  readonly text: string;
  readonly timeMs: number;
}

/** A message of this person that was refused for good. */
export interface Refused extends Omit<Pending, "kind"> {
  readonly kind: "refused";
  readonly why: string;
}

/** Lines that the chat itself shows to this person only. */
export interface Notice {
  readonly kind: "notice";
  readonly number: number;
  readonly lines: readonly string[];
  readonly isProblem: boolean;
}

/** An item with a fixed place in its conversation. */
export type Placed = Message | Refused | Notice;
export type Item = Placed | Pending;

/** `#geral` or `@ana`; empty for the home page, the first page of a new chat. */
export type ConversationKey = string;
export const homeKey: ConversationKey = "";

/**
 * The line at the bottom of the pane while the person has scrolled up: an item and one of its
 * lines.
 */
export interface Anchor {
  readonly item: string;
  readonly line: number;
}

export interface Conversation {
  readonly key: ConversationKey;
  /** Undefined for the home page, where nothing can be sent. */
  readonly target: Target | undefined;
  /** Items from the oldest to the newest. */
  readonly items: readonly Placed[];
  readonly pending: readonly Pending[];
  readonly unread: number;
  readonly mentions: number;
  readonly isMuted: boolean;
  /**
   * The vector of messages that the person has read. It does not change before the newest messages
   * are fetched.
   */
  readonly read: Vector;
  readonly isJoined: boolean;
  /** Key of the first message below the line "new since you left". */
  readonly firstNew: string | undefined;
  readonly anchor: Anchor | undefined;
  /** The place before which older messages exist; undefined if all have been fetched. */
  readonly older: string | undefined;
  readonly isFetching: boolean;
}

export type Overlay =
  | { readonly type: "help"; readonly top: number }
  | { readonly type: "switch"; readonly filter: Editor; readonly chosen: number };

export type Connection =
  | { readonly state: "connecting" | "connected" | "gave up" }
  /** `retryAtMs` is the time of the next attempt, if known. */
  | { readonly state: "reconnecting"; readonly retryAtMs: number | undefined };

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export type Presence = "online" | "away";

/** The values that a chat begins with. */
interface Beginning {
  readonly me: UserName;
  readonly words: Text;
  readonly language: string;
  readonly size: Size;
  readonly nowMs: number;
  /** The reader's time zone. */
  readonly zoneMinutes: Zone;
}

export interface ChatModel extends Beginning {
  readonly conversations: readonly Conversation[];
  readonly current: ConversationKey;
  readonly editor: Editor;
  /** The unsent text of each conversation except the current one, whose text is in `editor`. */
  readonly drafts: Readonly<Record<ConversationKey, Editor>>;
  readonly completion: Completion | undefined;
  readonly overlay: Overlay | undefined;
  readonly connection: Connection;
  readonly roundTripMs: number | undefined;
  /** The server whose reply arrived last. */
  readonly server: string | undefined;
  readonly clock: number;
  /** Number of replicas that had the last sent message on disk. */
  readonly replicas: number | undefined;
  readonly isAway: boolean;
  readonly presence: ReadonlyMap<UserName, Presence>;
  /** All known names, for completion and the quick switch. */
  readonly users: readonly string[];
  readonly channels: readonly string[];
  /**
   * The saved state with which this chat began, and the read marks and mutes of conversations
   * closed since.
   */
  readonly saved: SavedChat;
  /** True if the person has no saved chat and has entered no line yet. */
  readonly isNew: boolean;
  /**
   * Vector of all received private messages; undefined until the search for missed ones has ended.
   */
  readonly heard: Vector | undefined;
  readonly quitAskedMs: number | undefined;
  readonly notices: number;
}

/** The part of a chat that is saved for the person's next chat. */
export interface SavedChat {
  /** The names of joined channels, in the order of the list. */
  readonly joined: readonly string[];
  readonly muted: readonly string[];
  /** Private conversations that the person has closed and that have received no message since. */
  readonly closed: readonly string[];
  /** Read marks by conversation. */
  readonly read: Readonly<Record<string, Vector>>;
  /** Vector of all received private messages, from which the next chat searches for missed ones. */
  readonly heard?: Vector | undefined;
  readonly current: string;
  /**
   * Unsent texts by conversation; several running chats of one person may each have an unsent text.
   */
  readonly drafts: Readonly<Record<string, readonly string[]>>;
}

export const nothingSaved: SavedChat = {
  joined: [],
  muted: [],
  closed: [],
  read: {},
  current: homeKey,
  drafts: {},
};

export function conversation(
  target: Target | undefined,
  given: Partial<Conversation> = {},
): Conversation {
  return {
    key: target === undefined ? homeKey : writeTarget(target),
    target,
    items: [],
    pending: [],
    unread: 0,
    mentions: 0,
    isMuted: false,
    read: {},
    isJoined: false,
    firstNew: undefined,
    anchor: undefined,
    older: undefined,
    isFetching: false,
    ...given,
  };
}

export function beginning(given: Beginning): ChatModel {
  return {
    ...given,
    conversations: [conversation(undefined)],
    current: homeKey,
    editor: emptyEditor,
    drafts: {},
    completion: undefined,
    overlay: undefined,
    connection: { state: "connecting" },
    roundTripMs: undefined,
    server: undefined,
    clock: 0,
    replicas: undefined,
    isAway: false,
    presence: new Map(),
    users: [],
    channels: [],
    saved: nothingSaved,
    isNew: false,
    heard: undefined,
    quitAskedMs: undefined,
    notices: 0,
  };
}

export function find(model: ChatModel, key: ConversationKey): Conversation | undefined {
  return model.conversations.find((candidate) => candidate.key === key);
}

export function currentOf(model: ChatModel): Conversation {
  return find(model, model.current) ?? conversation(undefined);
}

/**
 * Whether the conversation's read mark must be saved. A private conversation always needs a saved
 * mark, because the next chat finds the conversation by that mark. A channel whose messages were
 * never fetched needs none.
 */
export function isKnown({ target, isJoined }: Conversation): boolean {
  return isJoined || target?.user !== undefined;
}

/**
 * The conversations that the list shows. The home page is shown only if there is no conversation.
 */
export function listed(model: ChatModel): readonly Conversation[] {
  const others = model.conversations.filter(({ target }) => target !== undefined);
  return others.length === 0 ? model.conversations : others;
}

/** Changes one conversation. The other conversations stay the same objects. */
export function change(
  model: ChatModel,
  key: ConversationKey,
  by: (present: Conversation) => Conversation,
): ChatModel {
  const conversations = model.conversations.map((present) =>
    present.key === key ? by(present) : present,
  );
  return { ...model, conversations };
}
