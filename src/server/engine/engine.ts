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

/** A scope in which ids of requests are unique (R6). */
export interface Scope {
  /** Whose lane has the events of the scope: that of a channel or of a user. */
  readonly owner: string;
  readonly scope: string;
}

/** An id of a request, and the scope in which it is unique. */
export interface ScopedId extends Scope {
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
  /**
   * Users. Loads whether each is known and, if the cluster requires accounts, whether the name was ever
   * used without a password.
   */
  readonly users = new Set<UserName>();
  readonly accounts = new Set<UserName>();
  /** Looks. Loads the known users and the accounts whose name has one of them. */
  readonly userLooks = new Set<string>();
  /** Channels. Loads their creations and removals, and the channels whose names look the same. */
  readonly channels = new Set<ChannelName>();
  /** Users. Loads all channels that they made. */
  readonly channelsOf = new Set<UserName>();
  /** Hooks. Loads their revocations, too. */
  readonly hooks = new Set<HookId>();
  /** Users. Loads all hooks that they made. */
  readonly hooksOf = new Set<UserName>();
  /** Ids of requests, by scope and id. Loads the events that these requests made. */
  readonly events = new Map<string, ScopedId>();
  /** Ids of operations, by user and id. Loads their outcomes. */
  readonly operations = new Map<string, Pick<Operation, "by" | "id">>();
  /** Users. Loads their wallets and decks, and the offers by them and to them. */
  readonly wallets = new Set<UserName>();
  /** Users. Loads their cards and decks. */
  readonly cardsOf = new Set<UserName>();
  readonly cards = new Set<CardId>();
  readonly trades = new Set<number>();
  /** Matches, open or ended. */
  readonly matches = new Set<MatchId>();
  /** Users. Loads their open match, their record, and their last matches. */
  readonly players = new Set<UserName>();
  /** What is left of each pack and each kind of cards, and the number of offers. */
  isStockNeeded = false;
  /**
   * How many are left of each limited pack, at the moment of which `operations` are.
   * `isStockNeeded` includes it, but of another moment.
   */
  areSuppliesNeeded = false;
  /** The number of open matches. */
  isMatchCountNeeded = false;
  /** The users with the best ratings. */
  isRankingNeeded = false;
  /** Pages of open matches, each by its first id; "" begins at the first match. */
  readonly openMatchesFrom = new Set<MatchId | "">();
  /** Pages, by their parameters: many requests may ask for the same page. */
  readonly history = new Map<string, HistoryNeed>();
  readonly names = new Map<string, NamesNeed>();
  /** One for each request, and the limits of all pages. */
  estimatedRows = 0;

  addHistory(need: HistoryNeed): void {
    this.#add(this.history, need);
  }

  addNames(need: NamesNeed): void {
    this.#add(this.names, need);
  }

  #add<Page extends { readonly limit: number }>(pages: Map<string, Page>, need: Page): void {
    const key = JSON.stringify(need);
    if (!pages.has(key)) this.estimatedRows += need.limit;
    pages.set(key, need);
  }
}

/** An event that a request makes. The engine gives it its place. */
export type NewEvent = {
  readonly [Kind in keyof ChatData]: {
    readonly kind: Kind;
    readonly data: ChatData[Kind];
    readonly id: RequestId | undefined;
    /** The server's clock when it made the event. The engine gives the event a higher clock. */
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
export interface UnpublishedEvent {
  readonly event: NewEvent;
  readonly appended: Exclude<Appended, "conflict">;
  /** The time in the sender's request, if it is known (P1). */
  readonly timestamp?: string | number | undefined;
}

/**
 * A server that has not heard its engine for so many milliseconds leaves the rotation, and one that
 * the engine has not heard for so long counts as dead (K6).
 */
export const silenceMs = 1_500;

/** A server, as it tells the others of itself. */
export interface ServerReport {
  readonly name: ServerName;
  readonly address: string;
  readonly clock: number;
  readonly rate: number;
}

export type PacksLeft = number | "unlimited";

/** An outcome, and how many of its packs are left after its slot. */
export interface DecidedWithStock extends Decided {
  /** Undefined if the operation is about no pack, or was decided before. */
  readonly left?: PacksLeft | undefined;
}

/** Which servers live, and which one is the keeper, that publishes what others left. */
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
 * Where servers without a state of their own keep everything. A method that fails rejects with
 * `EngineUnavailable`. Whether a change was made is then unknown; asking again with the same id tells.
 */
export interface Engine extends AsyncDisposable {
  /** @param into a slice that gets what is loaded, if it is not a new one */
  load(needs: Needs, into?: Slice): Promise<Slice>;
  /**
   * Appends events, and resolves once they are on the disks that the engine promises. Events of one
   * conversation keep their order within a call. A caller that wants order between calls waits for
   * each.
   */
  append(events: readonly NewEvent[]): Promise<readonly Appended[]>;
  /** Decides operations one after the other, all in one slot (D1). */
  decide(operations: readonly Operation[], timeMs: number): Promise<readonly DecidedWithStock[]>;
  /**
   * Notes that these messages are published. A crash may undo this; the messages are then published
   * once more.
   */
  markPublished(places: readonly Placed[]): Promise<void>;
  /** Returns messages that nobody has marked as published for some time. */
  unpublished(olderThanMs: number, limit: number): Promise<readonly UnpublishedEvent[]>;
  /**
   * Says that this server lives, and returns which servers live. If there is no keeper, the server
   * tries to become it.
   */
  report(own: ServerReport): Promise<Standing>;
  /**
   * Takes a name for a time, or keeps it longer; undefined if another server has it. A later holder has
   * a higher fence. A holder that was paused may not know that it is one no more, so each write that
   * the name protects must check that no higher fence exists.
   */
  lease(
    name: string,
    holder: ServerName,
    ttlMs: number,
  ): Promise<{ readonly fence: number } | undefined>;
  /** Returns the messages of a conversation that have what is searched, the newest first. */
  search(query: SearchQuery): Promise<readonly Entry[]>;
}

/**
 * The engine could not do it: it is lost, is no primary, has too much to do, or failed in a way that
 * was logged.
 */
export class EngineUnavailable extends Error {}
