import type { Fields } from "../../../protocol/fields.ts";
import { readUserName } from "../../../protocol/ids.ts";
import { limits } from "../../../protocol/limits.ts";
import { readOperation } from "../../../protocol/operation.ts";
import { readRegistration } from "../../core/accounts/account-operations.ts";
import { readCount } from "../../core/shop/shop-operations.ts";
import type { Needs } from "../engine.ts";
import type { Slice } from "../slice.ts";
import type { Queries } from "./pool.ts";
import { stateTables } from "./state-rows.ts";
import { escapeNul } from "./text.ts";

/** Each row that is loaded has the name of its part, which is mostly that of its table. */
type Loaded = {
  readonly part: string;
  /** Without the columns that are null. */
  readonly row: Fields;
};

/**
 * Loads what operations have decided into a slice: as much as is needed, and always the head of the
 * log. A second load replaces rows, and does not remove rows that were deleted since. Outside a
 * transaction, its statements read different moments. That does no harm: a reply shows only what one
 * of them has read, and operations are decided again under the lock (`decide.ts`).
 */
export async function loadDecided(db: Queries, needs: Needs, slice: Slice): Promise<void> {
  const statements = [accountsOf(needs), shopOf(needs), matchesOf(needs)];
  const loaded = new Map<string, Fields[]>();
  for (const statement of statements) {
    const { rows } = statement === undefined ? { rows: [] } : await db.query<Loaded>(statement);
    for (const { part, row } of rows) {
      const known = loaded.get(part);
      if (known === undefined) loaded.set(part, [row]);
      else known.push(row);
    }
  }
  const forRows = (part: string, add: (row: Fields) => void) => {
    for (const row of loaded.get(part) ?? []) add(row);
  };
  forRows("log_head", (row) => {
    slice.applied = readCount(row.applied);
    slice.shop.offers = readCount(row.offers);
    slice.accounts.registration = readRegistration({
      mode: row.registration,
      hash: row.invitation,
    });
  });
  forRows("operations", ({ slot, outcome, result, operation }) => {
    const made = result === undefined ? {} : { result: JSON.parse(String(result)) };
    const first = readOperation(JSON.parse(String(operation)));
    slice.remember({ slot: readCount(slot), outcome: String(outcome), operation: first, ...made });
  });
  forRows("forgotten", ({ by, floor }) => slice.forgotten.set(readUserName(by), readCount(floor)));
  // Matches end in an order, which is that of their numbers.
  loaded.get("ended_matches")?.sort((a, b) => readCount(a.number) - readCount(b.number));
  for (const table of stateTables) forRows(table.name, (row) => table.addRow(slice, row));
  // Not all sold cards are loaded, and not all open matches.
  forRows("sold", ({ kind, copies }) => slice.shop.noteSold(String(kind), readCount(copies)));
  forRows("count", ({ open }) => {
    slice.matches.openElsewhere = readCount(open) - slice.matches.opened().length;
  });
}

/** Returns a query of rows as JSON, to be joined with others to one statement. */
function part(name: string, query: string): string {
  return `select '${name}' as part, json_strip_nulls(row_to_json(one)) as row from (${query}) one`;
}

// An offer is needed with all that its acceptance reads and changes: the giver's account, the decks of
// both users, and the cards.
const givers = "array(select giver from trades where trade = any($5))";

const accountsText = [
  part("log_head", "select applied, offers, registration, invitation from log_head"),
  part(
    "operations",
    `select slot, outcome, result, operation
      from unnest($1::text[], $2::text[]) as asked (by, id) join operations using (by, id)`,
  ),
  part("forgotten", "select by, floor from forgotten where by = any($1::text[])"),
  part(
    "accounts",
    `select * from accounts where name = any($3::text[] || ${givers}
      || array(select name from account_looks where look = any($4::text[])))`,
  ),
  // Of the same moment as the operations: if no pack is left, none of these is yet to buy one.
  part("supplies", "select * from supplies where $6::boolean"),
].join(" union all ");

function accountsOf({ operations, accounts, userLooks, trades, ...needs }: Needs) {
  const asked = [...operations.values()];
  return {
    name: "load accounts",
    text: accountsText,
    values: [
      asked.map(({ by }) => by),
      asked.map(({ id }) => escapeNul(id)),
      [...accounts],
      [...userLooks],
      [...trades],
      needs.areSuppliesNeeded && !needs.isStockNeeded,
    ],
  };
}

const shopText = [
  part("wallets", "select * from wallets where name = any($1::text[])"),
  part("cards", "select card, owner from cards where owner = any($2::text[])"),
  part(
    "cards",
    `select card, owner from cards where card = any($3::text[]
      || array(select unnest(give || want) from trades where trade = any($4)))`,
  ),
  part(
    "decks",
    `select * from decks where name = any($1::text[] || $2::text[]
      || array(select unnest(array[giver, taker]) from trades where trade = any($4)))`,
  ),
  part(
    "trades",
    `select * from trades
      where giver = any($1::text[]) or taker = any($1::text[]) or trade = any($4::bigint[])`,
  ),
  part("supplies", "select * from supplies where $5::boolean"),
  part("sold", "select kind, count(*) as copies from cards where $5::boolean group by kind"),
].join(" union all ");

function shopOf({ wallets, cardsOf, cards, trades, isStockNeeded }: Needs) {
  if (!isStockNeeded && [wallets, cardsOf, cards, trades].every(({ size }) => size === 0)) {
    return undefined;
  }
  return {
    name: "load shop",
    text: shopText,
    values: [[...wallets], [...cardsOf], [...cards], [...trades], isStockNeeded],
  };
}

const ofPlayer = (column: string) => {
  return `(select * from ended_matches where ${column} = player.name
    order by number desc limit ${limits.userMatches})`;
};

const matchesText = [
  part(
    "open_matches",
    `select * from open_matches
      where match = any($1::text[]) or first = any($2::text[]) or second = any($2::text[])`,
  ),
  // One more than a page has, so that the page says where the next one begins.
  part(
    "open_matches",
    `select page.* from unnest($3::text[]) as asked (least) cross join lateral
      (select * from open_matches where match >= asked.least
        order by match limit ${limits.matchesPage + 1}) page`,
  ),
  part("count", "select count(*) as open from open_matches where $4::boolean having $4::boolean"),
  part(
    "ended_matches",
    `select * from (
      select * from ended_matches where match = any($1::text[])
      union all
      select last.* from unnest($2::text[]) as player (name) cross join lateral
        (select * from (${ofPlayer("first")} union all ${ofPlayer("second")}) latest
          order by number desc limit ${limits.userMatches}) last
    ) ended`,
  ),
  // An open match is needed with the records that its end changes.
  part(
    "records",
    `select name, rating, won, lost, drawn from records where name = any($2::text[] || array(
      select unnest(array[first, second]) from open_matches where match = any($1::text[])))`,
  ),
  part(
    "records",
    `select name, rating, won, lost, drawn from records where $5::boolean
      order by rating desc, sort limit ${limits.rankingUsers}`,
  ),
].join(" union all ");

function matchesOf({
  matches,
  players,
  openMatchesFrom,
  isMatchCountNeeded,
  isRankingNeeded,
}: Needs) {
  const isNeeded =
    isMatchCountNeeded ||
    isRankingNeeded ||
    [matches, players, openMatchesFrom].some(({ size }) => size > 0);
  if (!isNeeded) return undefined;
  return {
    name: "load matches",
    text: matchesText,
    values: [[...matches], [...players], [...openMatchesFrom], isMatchCountNeeded, isRankingNeeded],
  };
}
