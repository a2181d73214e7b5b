import type { CardId } from "../../protocol/cards.ts";
import type { SearchQuery } from "../../protocol/client-messages.ts";
import type { Cursor } from "../../protocol/cursor.ts";
import type { ChannelName, HookId, RequestId, ServerName, UserName } from "../../protocol/ids.ts";
import type { MatchId } from "../../protocol/matches.ts";
import type { Decided, Operation } from "../../protocol/operation.ts";
import type { Entry } from "../../protocol/publications.ts";
import type { ConversationName } from "../../protocol/topics.ts";
import type { Vector } from "../../protocol/vector.ts";
import type { ChatData } from "../core/chat/chat-facts.ts";
import type { Placed } from "../core/replica/placed.ts";
import type { Slice } from "./slice.ts";

/** An id of a request, and the scope in which it is unique (R6). */
export interface ScopedId {
  readonly scope: string;
  readonly id: RequestId;
}

/** A part of a conversation that a request reads. */
export interface HistoryNeed {
  readonly conversation: ConversationName;
  /** Only private messages with this user. */
  readonly with: UserName | undefined;
  readonly before: Cursor | undefined;
  readonly since: Vector | undefined;
  /** The most messages that the answer has, of each origin if there is a `since`. */
  readonly limit: number;
}

/** A part of the list of users or channels that a request reads. */
export interface NamesNeed {
  readonly of: "users" | "channels";
  readonly prefix: string;
  readonly from: string;
  readonly limit: number;
}

/**
 * What must be loaded so that requests and operations can be decided. An engine loads all of it,
 * and may load more.
 */
export class Needs {
  /** Whether they are known, and, with accounts, whether a login without a password used the name. */
  readonly users = new Set<UserName>();
  readonly accounts = new Set<UserName>();
  /** Looks of names: known users and accounts that have one of them. */
  readonly userLooks = new Set<string>();
  /** Creations, removals, and channels that look the same. */
  readonly channels = new Set<ChannelName>();
  /** Users of whom all channels that they made are loaded. */
  readonly channelsOf = new Set<UserName>();
  /** Hooks with their revocations. */
  readonly hooks = new Set<HookId>();
  readonly hooksOf = new Set<UserName>();
  /** Events that were made by requests with these ids; by scope and id. */
  readonly events = new Map<string, ScopedId>();
  /** Outcomes of operations that were asked for with these ids; by user and id. */
  readonly operations = new Map<string, Pick<Operation, "by" | "id">>();
  /** Wallets and decks of these users, and offers by them and to them. */
  readonly wallets = new Set<UserName>();
  readonly cardsOf = new Set<UserName>();
  readonly cards = new Set<CardId>();
  readonly trades = new Set<number>();
  /** Open or ended. */
  readonly matches = new Set<MatchId>();
  /** Their open match and record, and their last matches. */
  readonly players = new Set<UserName>();
  /** What is left of each pack and each kind of cards, and the number of offers. */
  hasStock = false;
  /** The number of open matches. */
  hasMatchCount = false;
  hasRanking = false;
  /** Of open matches, from this id on; undefined if no request reads them. */
  readonly openMatches = new Set<MatchId | "">();
  /** Pages, by their parameters: many requests may ask for the same page. */
  readonly history = new Map<string, HistoryNeed>();
  readonly names = new Map<string, NamesNeed>();
  /** About how many rows of pages are loaded at most. */
  rows = 0;

  addHistory(need: HistoryNeed): void {
    this.#add(this.history, need);
  }

  addNames(need: NamesNeed): void {
    this.#add(this.names, need);
  }

  #add<Page extends { readonly limit: number }>(pages: Map<string, Page>, need: Page): void {
    const key = JSON.stringify(need);
    if (!pages.has(key)) this.rows += need.limit;
    pages.set(key, need);
  }
}

/** An event that a request makes. The engine gives it its place. */
export type NewEvent = {
  readonly [Kind in keyof ChatData]: {
    readonly kind: Kind;
    readonly data: ChatData[Kind];
    readonly id: RequestId | undefined;
    /** The place's clock is above this one, which is that of the server. */
    readonly clock: number;
    /** Milliseconds since 1970. */
    readonly timeMs: number;
    /**
     * The version of the credential of whoever makes the event. There is a conflict if the account has
     * another one by now, or is locked.
     */
    readonly version?: string | undefined;
    /** The most channels, or hooks in force, that the maker may have with this one. */
    readonly most?: number | undefined;
  };
}[keyof ChatData];

/** What became of a new event. */
export type Appended =
  | {
      readonly place: Placed;
      /** Whether the event is new. If not, an earlier request with the same id made it. */
      readonly isNew: boolean;
      /** For each topic of a new message, the `seq` of the origin's message before it, or 0 (P3). */
      readonly prevs: ReadonlyMap<string, number>;
      /** For each user with a topic in `prevs`, the version of their credential. */
      readonly versions: ReadonlyMap<UserName, string>;
    }
  /** Somebody else was faster: the request must be decided again. */
  | "conflict";

/** An appended message that may not have been published. */
export interface Unpublished {
  readonly event: NewEvent;
  readonly appended: Exclude<Appended, "conflict">;
  /** The time in the sender's request, if it is known (P1). */
  readonly timestamp?: string | number | undefined;
}

/** A server, as it tells the others of itself. */
export interface ServerReport {
  readonly name: ServerName;
  readonly address: string;
  readonly clock: number;
  readonly rate: number;
}

/** The servers that were heard of lately, and who of them keeps the house. */
export interface Standing {
  readonly servers: readonly (ServerReport & { readonly silentMs: number })[];
  readonly keeper: { readonly name: ServerName; readonly fence: number } | undefined;
  /** The engine's time, in milliseconds since 1970. */
  readonly timeMs: number;
  /** The highest clock that a server has told of itself, also one that has ended since. */
  readonly clock: number;
  /** Names of the nodes that have each commit on disk: the primary and its synchronous standbys. */
  readonly holders: readonly string[];
}

/**
 * Where servers without a state of their own keep everything. All methods reject with `EngineDown` if
 * the engine does not answer; whether a change has been made is then unknown, and whoever asks again
 * with the same id finds out.
 */
export interface Engine extends AsyncDisposable {
  /** @param into a slice that gets what is loaded, if it is not a new one */
  load(needs: Needs, into?: Slice): Promise<Slice>;
  /**
   * Appends events, and resolves once they are on the disks that the engine promises. Events of one
   * conversation keep their order.
   */
  append(events: readonly NewEvent[]): Promise<readonly Appended[]>;
  /** Decides operations one after the other, all in one slot (D1). */
  decide(operations: readonly Operation[], timeMs: number): Promise<readonly Decided[]>;
  /** The messages of these places are published. May be late, or be missing after a crash. */
  published(places: readonly Placed[]): Promise<void>;
  /** Returns messages that nobody has marked as published for some time. */
  unpublished(olderThanMs: number, limit: number): Promise<readonly Unpublished[]>;
  /** Says that a server lives, asks for the place of the keeper, and returns who lives. */
  report(own: ServerReport): Promise<Standing>;
  /** Takes a name for a time; undefined if another one has it. A later holder has a higher fence. */
  lease(
    name: string,
    holder: ServerName,
    ttlMs: number,
  ): Promise<{ readonly fence: number } | undefined>;
  /** Returns the messages of a conversation that have what is searched, the newest first. */
  search(query: SearchQuery): Promise<readonly Entry[]>;
}

/** The engine does not answer, or is not writable. */
export class EngineDown extends Error {}
