import type { RequestId, ServerName, UserName } from "../../protocol/ids.ts";
import type { Vector } from "../../protocol/vector.ts";
import type { Text } from "../../texts/texts.ts";
import type { Completion } from "./completion.ts";
import { type Editor, emptyEditor } from "./line-editor.ts";
import type { Zone } from "./server-time.ts";
import { type Target, writeTarget } from "./target.ts";

/** What was said, as the servers keep it; its place in the total order is clock and server. */
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

/** A message of one's own that no receipt came for yet. */
export interface Pending {
  readonly kind: "pending";
  readonly id: RequestId;
  readonly user: UserName;
  readonly text: string;
  readonly timeMs: number;
}

/** A message of one's own that is not sent again. */
export interface Refused extends Omit<Pending, "kind"> {
  readonly kind: "refused";
  readonly why: string;
}

/** What the chat itself tells, to this person only. */
export interface Notice {
  readonly kind: "notice";
  readonly number: number;
  readonly lines: readonly string[];
  readonly isProblem: boolean;
}

/** What has a place in a conversation. */
export type Placed = Message | Refused | Notice;
export type Item = Placed | Pending;

/** `#geral`, `@ana`; `` for the page one begins at. */
export type ConversationKey = string;
export const homeKey: ConversationKey = "";

/** The line at the bottom of the pane, if that is not the newest: one of a certain item's. */
export interface Anchor {
  readonly item: string;
  readonly line: number;
}

export interface Conversation {
  readonly key: ConversationKey;
  /** Undefined for the page one begins at, which nobody can write to. */
  readonly target: Target | undefined;
  /** Oldest to newest. */
  readonly items: readonly Placed[];
  readonly pending: readonly Pending[];
  readonly unread: number;
  readonly mentions: number;
  readonly isMuted: boolean;
  /** What of it the person has seen; nothing new, before its newest messages are there. */
  readonly read: Vector;
  readonly isJoined: boolean;
  /** The first message behind the line "new since you left". */
  readonly firstNew: string | undefined;
  readonly anchor: Anchor | undefined;
  /** The place before which there is more; undefined at the beginning of all. */
  readonly older: string | undefined;
  readonly isFetching: boolean;
}

export type Overlay =
  | { readonly type: "help"; readonly top: number }
  | { readonly type: "switch"; readonly filter: Editor; readonly chosen: number };

export type Connection =
  | { readonly state: "connecting" | "connected" | "gave up" }
  /** With the time of the next try, if that is known. */
  | { readonly state: "reconnecting"; readonly retryAtMs: number | undefined };

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export type Presence = "online" | "away";

/** What a chat begins with. */
export interface Beginning {
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
  /** What was begun in other conversations: a text goes only where it was meant for. */
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
  /** All names that are known, for completion and the quick switch. */
  readonly users: readonly string[];
  readonly channels: readonly string[];
  /** What was saved by an earlier chat, also of conversations that are not there now. */
  readonly saved: SavedChat;
  /** The person has never chatted here, and has written nothing yet. */
  readonly isNew: boolean;
  /** What has come of private messages, whoever's; undefined until it is known. */
  readonly heard: Vector | undefined;
  readonly quitAskedMs: number | undefined;
  readonly notices: number;
}

/** What of the chat survives its process. */
export interface SavedChat {
  /** In the order of the list. */
  readonly joined: readonly string[];
  readonly muted: readonly string[];
  /** Private conversations that were closed, until something new is said in them. */
  readonly closed: readonly string[];
  /** By conversation. */
  readonly read: Readonly<Record<string, Vector>>;
  /** Of private messages all that has come: who wrote since then is found by it. */
  readonly heard?: Vector | undefined;
  readonly current: string;
  /**
   * Texts that were begun and not sent, by conversation. Chats of one person that run at once may
   * each have one.
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
 * Whether what was read of it is worth keeping: of a channel that was never seen nothing was missed,
 * and a person's messages are found by his being known.
 */
export function isKnown({ target, isJoined }: Conversation): boolean {
  return isJoined || target?.user !== undefined;
}

/** What the list shows: the page one begins at goes once there is something else. */
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
