import { packNames, rarities } from "../../../protocol/cards.ts";
import { harmless } from "../../../protocol/harmless.ts";
import { wrap } from "../cells.ts";
import type { Screen } from "../chat-view.ts";
import { fitLine, type Line, type Style, span, spread } from "../spans.ts";
import { stageOf } from "./duel-cards.ts";
import {
  type DuelModel,
  matchOf,
  nearSeat,
  type SeenMatch,
  type Shop,
  secondsUntil,
  userAt,
} from "./duel-model.ts";
import { type Table, tableLines } from "./table-lines.ts";

/** The fewest rows and columns in which a match can be shown. */
const least = { rows: 6, columns: 20 } as const;
const mostNoticeRows = 3;
const mostKeyRows = 2;
/** Seconds from which on the countdown warns. */
const hurrySeconds = 5;

/** Renders the screen of a match. A pure function. */
export function duelView(model: DuelModel): Screen {
  const { columns, rows } = model.size;
  if (rows < least.rows || columns < least.columns) return tooSmall(model);
  const foot = footer(model).slice(1 - least.rows);
  const room = rows - 1 - foot.length;
  const { lines: body, chosenRow } = bodyOf(model, room);
  const filled = Array.from({ length: room }, (_, at): Line => body[at] ?? []);
  const lines = [title(model), ...filled, ...foot].map((line) => fitLine(line, columns));
  const row = chosenRow === undefined ? rows - 1 : 1 + chosenRow;
  return { lines, cursor: { row, column: 0 } };
}

function tooSmall({ words, size }: DuelModel): Screen {
  const wrapped = wrap(words("duel.tooSmall"), size.columns, size.columns);
  const lines = wrapped.slice(0, Math.max(1, size.rows)).map((line): Line => [span(line)]);
  return { lines, cursor: { row: 0, column: 0 } };
}

function bodyOf(model: DuelModel, room: number): Table {
  const match = matchOf(model);
  if (match === undefined) return { lines: waitingLines(model), chosenRow: undefined };
  const isChoosing = match.view.table == null && match.view.over == null;
  if (!isChoosing) return tableLines(model, match, room);
  return { lines: choosingLines(model, match), chosenRow: undefined };
}

function title(model: DuelModel): Line {
  const { words, rules, size } = model;
  const match = matchOf(model);
  const name = span(words(`duel.rules.${match?.view.rules ?? rules}`), "bold");
  if (match === undefined) return [name];
  const { view } = match;
  const { table, over, prepareUntilMs } = view;
  if (table == null) {
    const end = over == null && prepareUntilMs != null ? [countdown(model, prepareUntilMs)] : [];
    return spread([name], end, size.columns);
  }
  const number = words(view.rules === "clash" ? "duel.round" : "duel.turn", { round: table.round });
  const left: Line = [name, span(` · ${number}`)];
  if (over != null || table.deadlineMs == null) return left;
  const mover = moverOf(model, match);
  const right = [...(mover === undefined ? [] : [mover, span(" · ", "dim")])];
  return spread(left, [...right, countdown(model, table.deadlineMs)], size.columns);
}

function countdown(model: DuelModel, untilMs: number) {
  const seconds = secondsUntil(model, untilMs);
  return span(model.words("duel.seconds", { seconds }), seconds <= hurrySeconds ? "bad" : "bold");
}

function moverOf({ words, watched }: DuelModel, match: SeenMatch) {
  const { view } = match;
  const stage = stageOf(view);
  if (stage !== "wait") {
    return span(words(stage === "play" ? "duel.yourMove" : "duel.counterNow"), "warning");
  }
  const turn = view.table?.turn ?? [];
  const [first] = turn;
  if (first === undefined || (turn.length > 1 && watched !== undefined)) return undefined;
  return span(words("duel.theirMove", { user: harmless(userAt(view, first)) }), "dim");
}

function waitingLines(model: DuelModel): readonly Line[] {
  const { words, phase, watched, waitingSinceMs, nowMs, size } = model;
  const seconds = Math.max(0, Math.floor((nowMs - waitingSinceMs) / 1_000));
  const said =
    phase === undefined
      ? words("duel.connecting")
      : watched === undefined
        ? words("duel.waiting", { seconds })
        : words("duel.watching", { user: harmless(watched) });
  return [[], ...wrapped(said, size.columns)];
}

function choosingLines(model: DuelModel, match: SeenMatch): readonly Line[] {
  const { words, watched, size } = model;
  const { view, ratings } = match;
  const near = nearSeat(match, watched);
  const far = near === 0 ? 1 : 0;
  const isMine = view.seat != null;
  const named = (seat: 0 | 1) => {
    const user = userAt(view, seat);
    const rating = ratings.get(user);
    const rated = rating === undefined ? "" : ` (${words("duel.rating", { rating })})`;
    return harmless(user) + rated;
  };
  const state = (seat: 0 | 1) => {
    const user = harmless(userAt(view, seat));
    const isReady = view.ready[seat];
    const said = words(isReady ? "duel.isReady" : "duel.isChoosing", { user });
    return wrapped(said, size.columns, isReady ? "good" : "dim");
  };
  const isChoosing = isMine && !view.ready[near];
  return [
    ...wrapped(words("duel.against", { first: named(near), second: named(far) }), size.columns),
    ...state(near),
    ...state(far),
    ...(isChoosing ? [[], ...choices(model)] : []),
  ];
}

function choices({ words, shop, size }: DuelModel): readonly Line[] {
  const packs = packNames.flatMap((name, at) => {
    const offer = shop?.packs.find(({ pack }) => pack === name);
    if (offer === undefined || shop === undefined) return [];
    return choice(String(at + 1), packText(offer, words), {
      columns: size.columns,
      style: offer.left === 0 || offer.price > shop.coins ? "dim" : "plain",
    });
  });
  const coins = shop === undefined ? [] : wrapped(words("duel.coins", shop), size.columns);
  return [
    [span(words("duel.choose"), "bold")],
    ...coins,
    ...choice("Enter", words("duel.chooseOwn"), { columns: size.columns, style: "plain" }),
    ...packs,
  ];
}

function packText(
  { pack, price, cards, left }: Shop["packs"][number],
  words: DuelModel["words"],
): string {
  const inside = rarities.flatMap((rarity) => {
    const count = cards[rarity];
    return count === undefined ? [] : `${count} × ${words(`rarity.${rarity}`)}`;
  });
  const said = words("duel.choosePack", { pack: harmless(pack), price, cards: inside.join(", ") });
  if (left === undefined || left === null) return said;
  const rest = left === 0 ? words("duel.soldOut") : words("duel.packLeft", { left });
  return `${said} (${rest})`;
}

function choice(
  key: string,
  text: string,
  { columns, style }: { readonly columns: number; readonly style: Style },
): readonly Line[] {
  const indent = 7;
  const room = Math.max(8, columns - indent);
  return wrap(text, room, room).map((line, at) => [
    span((at === 0 ? ` ${key}` : "").padEnd(indent), "bold"),
    span(line, style),
  ]);
}

function wrapped(text: string, columns: number, style: Style = "plain"): readonly Line[] {
  return wrap(text, columns, columns).map((line) => [span(line, style)]);
}

/** What the person should know now, and the keys that have a meaning now. */
function footer(model: DuelModel): readonly Line[] {
  const { words, notice, isLost, isActing, size, phase, games: endpoints } = model;
  const lost = phase === undefined ? words("duel.noGame", { endpoints }) : words("duel.lost");
  const said = isLost
    ? wrapped(lost, size.columns, "bad")
    : notice !== undefined
      ? wrapped(notice.text, size.columns, notice.isProblem ? "warning" : "plain")
      : isActing
        ? wrapped(words("duel.acting"), size.columns, "dim")
        : [[]];
  const keys = wrapped(keysOf(model), size.columns, "dim");
  return [...said.slice(0, mostNoticeRows), ...keys.slice(0, mostKeyRows)];
}

function keysOf(model: DuelModel): string {
  const { words, watched } = model;
  const match = matchOf(model);
  if (watched !== undefined) return words("duel.watchingKeys");
  if (match === undefined) return words("duel.waitingKeys");
  const { view } = match;
  if (view.over != null) return words("duel.overKeys");
  if (view.seat == null) return words("duel.watchingKeys");
  if (view.table == null) {
    return words(view.ready[view.seat] ? "duel.readyKeys" : "duel.chooseKeys");
  }
  const stage = stageOf(view);
  if (stage === "wait") return words("duel.waitKeys");
  if (stage === "counter") return words("duel.counterKeys");
  return words(view.rules === "clash" ? "duel.clashKeys" : "duel.duelKeys");
}
