import assert from "node:assert";
import { kindOf } from "../../../protocol/cards.ts";
import type { Fields } from "../../../protocol/fields.ts";
import { readUserName } from "../../../protocol/ids.ts";
import { beginning, nextTerm } from "../../../protocol/match-fields.ts";
import { isEndedMatch, isRecord } from "../../../protocol/match-replies.ts";
import type { OpenMatch } from "../../../protocol/matches.ts";
import { readAccount } from "../../core/accounts/account-operations.ts";
import { readCards, readCount, readDeck, readPack } from "../../core/shop/shop-operations.ts";
import type { Slice } from "../slice.ts";
import { escapeNul, sortKey, unescapeNul } from "./text.ts";

/** The state that operations make. */
export type DecidedState = Pick<Slice, "accounts" | "shop" | "matches">;

/** A table that has a part of the state which operations make (`migrations/003_decisions.sql`). */
export interface StateTable {
  readonly name: string;
  /** The column that identifies a row. */
  readonly key: string;
  /** The other columns that are written. */
  readonly columns: readonly string[];
  /** Whether operations delete rows. */
  readonly hasDeletions?: true;
  /** Whether a row stays as it was first written. */
  readonly isNeverUpdated?: true;
  /** Returns what a state has of this part. What is undefined becomes null. */
  rows(state: DecidedState): readonly Fields[];
  /** Adds a row to a state. Columns that are null are missing in the row. */
  addRow(state: DecidedState, row: Fields): void;
}

const accounts: StateTable = {
  name: "accounts",
  key: "name",
  columns: [
    ...["id", "credential", "version", "looks"],
    ...["is_open", "has_new_password", "locked", "administrator"],
  ],
  rows: ({ accounts }) => {
    return accounts.all().map(({ user, id, isOpen, hasNewPassword, ...rest }) => {
      const flags = { is_open: isOpen, has_new_password: hasNewPassword };
      return { name: user, id: escapeNul(id), ...rest, ...flags };
    });
  },
  addRow: ({ accounts }, { name, id, is_open, has_new_password, ...rest }) => {
    const flags = { isOpen: is_open, hasNewPassword: has_new_password };
    accounts.set(readAccount({ ...rest, user: name, id: unescapeNul(id as string), ...flags }));
  },
};

const accountLooks: StateTable = {
  name: "account_looks",
  key: "look",
  columns: ["name"],
  isNeverUpdated: true,
  rows: ({ accounts }) => {
    return accounts.all().flatMap(({ user, looks }) => looks.map((look) => ({ look, name: user })));
  },
  // Nothing to add: each account has its looks already (`accounts.looks`).
  addRow: () => {},
};

const wallets: StateTable = {
  name: "wallets",
  key: "name",
  columns: ["coins"],
  rows: ({ shop }) => shop.wallets().map(([name, coins]) => ({ name, coins })),
  addRow: ({ shop }, { name, coins }) => shop.setCoins(readUserName(name), readCount(coins)),
};

const cards: StateTable = {
  name: "cards",
  key: "card",
  columns: ["kind", "owner"],
  rows: ({ shop }) => {
    return shop.owners().map(([card, owner]) => ({ card, kind: kindOf(card)?.kind, owner }));
  },
  addRow: ({ shop }, { card, owner }) => {
    for (const one of readCards([card])) shop.give(one, readUserName(owner));
  },
};

const decks: StateTable = {
  name: "decks",
  key: "name",
  columns: ["cards"],
  hasDeletions: true,
  rows: ({ shop }) => shop.decks().map(([name, cards]) => ({ name, cards })),
  addRow: ({ shop }, { name, cards }) => shop.setDeck(readUserName(name), readDeck(cards, 1)),
};

const trades: StateTable = {
  name: "trades",
  key: "trade",
  columns: ["giver", "taker", "give", "want"],
  hasDeletions: true,
  rows: ({ shop }) => {
    return shop.trades().map(({ by, to, ...rest }) => ({ giver: by, taker: to, ...rest }));
  },
  addRow: ({ shop }, { trade, giver, taker, give, want }) => {
    const [by, to] = [readUserName(giver), readUserName(taker)];
    const cards = { give: readCards(give), want: readCards(want) };
    shop.addTrade({ trade: readCount(trade), by, to, ...cards });
  },
};

const supplies: StateTable = {
  name: "supplies",
  key: "pack",
  columns: ["left_over"],
  hasDeletions: true,
  rows: ({ shop }) => shop.supplies().map(([pack, left]) => ({ pack, left_over: left })),
  addRow: ({ shop }, { pack, left_over }) => shop.supply(readPack(pack), readCount(left_over)),
};

const openMatches: StateTable = {
  name: "open_matches",
  key: "match",
  columns: ["rules", "first", "first_game", "second", "second_game", "term", "host", "shadow"],
  hasDeletions: true,
  rows: ({ matches }) => {
    return matches.opened().map(({ players: [first, second], ...rest }) => {
      const seats = { first: first.user, first_game: first.game };
      return { ...rest, ...seats, second: second.user, second_game: second.game };
    });
  },
  addRow: ({ matches }, row) => matches.set(openMatchOf(row)),
};

function openMatchOf({ first, first_game, second, second_game, ...rest }: Fields): OpenMatch {
  const seats = [
    { user: first, game: first_game },
    { user: second, game: second_game },
  ];
  const { match, rules, players } = beginning({ ...rest, players: seats }, readUserName);
  const { term, host, shadow } = nextTerm(rest);
  return { match, rules, players, term, host, shadow };
}

const endedMatches: StateTable = {
  name: "ended_matches",
  key: "match",
  columns: [
    ...["rules", "first", "second", "winner", "is_void"],
    ...["first_rating", "second_rating", "ended_ms"],
  ],
  rows: ({ matches }) => {
    return matches.remembered().map(({ users, ratings, isVoid, endedMs, ...rest }) => {
      const [first, second] = users;
      const [first_rating, second_rating] = ratings;
      const more = { first, second, first_rating, second_rating };
      return { ...rest, ...more, is_void: isVoid, ended_ms: endedMs };
    });
  },
  addRow: ({ matches }, row) => {
    const { match, rules, first, second, winner, is_void: isVoid, ended_ms: endedMs } = row;
    const ratings = [row.first_rating, row.second_rating];
    const ended = { match, rules, users: [first, second], winner, isVoid, ratings, endedMs };
    assert(isEndedMatch(ended), "a match has no end");
    matches.remember(ended);
  },
};

const records: StateTable = {
  name: "records",
  key: "name",
  columns: ["sort", "rating", "won", "lost", "drawn"],
  rows: ({ matches }) => {
    return matches.records().map(([name, record]) => ({ name, sort: sortKey(name), ...record }));
  },
  addRow: ({ matches }, { name, rating, won, lost, drawn }) => {
    const record = { rating, won, lost, drawn };
    assert(isRecord(record), "a record has no rating");
    matches.setRecord(readUserName(name), record);
  },
};

/** A table into which rows are written. */
export interface WrittenTable {
  readonly name: string;
  readonly columns: readonly string[];
  /** The column that identifies a row; without it, no row may exist already. */
  readonly key?: string;
  /** Whether a row stays as it was first written. */
  readonly isNeverUpdated?: boolean;
}

/** Returns the statement that writes rows. @param parameter the number of the list of rows, in JSON */
export function insertion(
  { name, columns, key, isNeverUpdated }: WrittenTable,
  parameter: number,
): string {
  const all = columns.join(", ");
  const others = columns.filter((column) => column !== key);
  const changed = others.map((column) => `${column} = excluded.${column}`).join(", ");
  const action = isNeverUpdated === true ? "nothing" : `update set ${changed}`;
  return `insert into ${name} (${all})
    select ${all} from json_populate_recordset(null::${name}, $${parameter}::json)
    ${key === undefined ? "" : `on conflict (${key}) do ${action}`}`;
}

/** The tables, in an order in which their rows can be added to a slice. */
export const stateTables: readonly StateTable[] = [
  accounts,
  accountLooks,
  wallets,
  cards,
  decks,
  trades,
  supplies,
  openMatches,
  endedMatches,
  records,
];

/** For each table, in the order of `stateTables`, the rows of a slice as JSON, by key. */
export type RowsByTable = readonly ReadonlyMap<unknown, string>[];

export function stateRowsOf(slice: Slice): RowsByTable {
  return stateTables.map(({ key, rows }) => {
    return new Map(rows(slice).map((row) => [row[key], JSON.stringify(row)]));
  });
}
