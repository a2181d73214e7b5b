import type { RequestId, ServerName, UserName } from "../../protocol/ids.ts";
import type { Vector } from "../../protocol/vector.ts";
import type { Text } from "../../texts/texts.ts";
import type { Completion } from "./completion.ts";
import { type Editor, emptyEditor } from "./line-editor.ts";
import type { Zone } from "./server-time.ts";
import { type Target, writeTarget } from "./target.ts";

/** A message as the servers keep it; clock and server are its place in the total order. */
export interface Message {
  readonly kind: "message";
  readonly user: UserName;
  readonly text: string;
  readonly timeMs: number;
  readonly clock: number;
  readonly server: ServerName;
  readonly seq: number;
  readonly id: string;
}

/** A message of the person's own without a receipt so far. */
export interface Pending {
  readonly kind: "pending";
  readonly id: RequestId;
  readonly user: UserName;
  readonly text: string;
  readonly timeMs: number;
}

/** A message of the person's own that is not sent again. */
export interface Refused extends Omit<Pending, "kind"> {
  readonly kind: "refused";
  readonly why: string;
}

/** Lines of the chat itself, for this person only. */
export interface Notice {
  readonly kind: "notice";
  readonly number: number;
  readonly lines: readonly string[];
  readonly isProblem: boolean;
}

/** An item with a place among the others of its conversation. */
export type Placed = Message | Refused | Notice;
export type Item = Placed | Pending;

/** `#geral`, `@ana`; empty for the home page, on which a chat begins. */
export type ConversationKey = string;
export const homeKey: ConversationKey = "";

/** The line at the bottom of the pane, if that is not the newest: an item and one of its lines. */
export interface Anchor {
  readonly item: string;
  readonly line: number;
}

export interface Conversation {
  readonly key: ConversationKey;
  /** Undefined for the home page, where nothing can be sent. */
  readonly target: Target | undefined;
  /** Oldest to newest. */
  readonly items: readonly Placed[];
  readonly pending: readonly Pending[];
  readonly unread: number;
  readonly mentions: number;
  readonly isMuted: boolean;
  /** What the person has seen of it; it grows only once the newest messages are there. */
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
  /** With the time of the next try, if it is known. */
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
  /** Unsent texts of other conversations: a text goes only where it was meant to go. */
  readonly drafts: Readonly<Record<ConversationKey, Editor>>;
  readonly completion: Completion | undefined;
  readonly overlay: Overlay | undefined;
  readonly connection: Connection;
  readonly roundTripMs: number | undefined;
  /** The server that served last. */
  readonly server: string | undefined;
  readonly clock: number;
  /** Replicas that have the last message on disk. */
  readonly replicas: number | undefined;
  readonly isAway: boolean;
  readonly presence: ReadonlyMap<UserName, Presence>;
  /** All known names, for completion and the quick switch. */
  readonly users: readonly string[];
  readonly channels: readonly string[];
  /** What an earlier chat saved, also of conversations that are not open now. */
  readonly saved: SavedChat;
  /** The person has never chatted here and has written nothing so far. */
  readonly isNew: boolean;
  /** All private messages that have come, from anybody; undefined until that is known. */
  readonly heard: Vector | undefined;
  readonly quitAskedMs: number | undefined;
  readonly notices: number;
}

/** The part of a chat that survives its process. */
export interface SavedChat {
  /** In the order of the list. */
  readonly joined: readonly string[];
  readonly muted: readonly string[];
  /** Private conversations that were closed, until a new message comes in them. */
  readonly closed: readonly string[];
  /** What was read, by conversation. */
  readonly read: Readonly<Record<string, Vector>>;
  /** All private messages that have come: with it the next chat finds who has written since. */
  readonly heard?: Vector | undefined;
  readonly current: string;
  /** Unsent texts, by conversation: several chats of one person that run at once may each have one. */
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
 * Whether its read marks are worth keeping. A channel that was never entered has none, and the mark
 * of a private conversation is also how the next chat knows that it exists.
 */
export function isKnown({ target, isJoined }: Conversation): boolean {
  return isJoined || target?.user !== undefined;
}

/** The conversations in the list: the home page goes once there are others. */
export function listed(model: ChatModel): readonly Conversation[] {
  const others = model.conversations.filter(({ target }) => target !== undefined);
  return others.length === 0 ? model.conversations : others;
}

/** Changes one conversation; the others stay the same objects. */
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
