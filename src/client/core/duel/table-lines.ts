import type { CardId } from "../../../protocol/cards.ts";
import type { Seat } from "../../../protocol/game-view.ts";
import { harmless } from "../../../protocol/harmless.ts";
import { wrap } from "../cells.ts";
import { nameColour } from "../name-colour.ts";
import { type Line, lineCells, type Style, span, spread } from "../spans.ts";
import { cardName, cardRow, handCells, handHeading, isPlayable, stageOf } from "./duel-cards.ts";
import { type DuelModel, nearSeat, type SeenMatch, userAt } from "./duel-model.ts";
import { matchLog } from "./match-log.ts";

/** The body of the screen, and the row of the chosen card. */
export interface Table {
  readonly lines: readonly Line[];
  readonly chosenRow: number | undefined;
}

const sideRows = 2;

/**
 * The table: the other side, what has happened, the near side, and the hand or the result.
 * @param room the rows of the table
 */
export function tableLines(model: DuelModel, match: SeenMatch, room: number): Table {
  const near = nearSeat(match, model.watched);
  const far: Seat = near === 0 ? 1 : 0;
  const hasTable = match.view.table != null;
  const sides = hasTable ? 2 * sideRows : 0;
  const logLeast = room >= 14 ? 4 : room >= 9 ? 1 : 0;
  const bottom = bottomLines(model, match, Math.max(2, room - sides - logLeast));
  const logRows = Math.max(0, room - sides - bottom.lines.length);
  const all = [
    ...(hasTable ? sideLines(model, match, far) : []),
    ...logLines(model, match, logRows),
    ...(hasTable ? sideLines(model, match, near) : []),
  ];
  // Without room for everything, the hand is needed most.
  const above = all.slice(Math.max(0, all.length + bottom.lines.length - room));
  const { chosenRow } = bottom;
  return {
    lines: [...above, ...bottom.lines],
    chosenRow: chosenRow === undefined ? undefined : above.length + chosenRow,
  };
}

/** A side's name and numbers, as many as fit, and its card on the table. */
function sideLines(model: DuelModel, match: SeenMatch, seat: Seat): readonly Line[] {
  const { words, size } = model;
  const { view, ratings } = match;
  const side = view.table?.sides[seat];
  if (side === undefined) return [];
  const user = userAt(view, seat);
  const { score, points, handSize: count, deckSize, table } = side;
  const rating = ratings.get(user);
  const facts = [
    words(view.rules === "clash" ? "duel.score" : "duel.life", { score }),
    ...(points == null ? [] : [words("duel.points", { points })]),
    ...(side.hand == null ? [words("duel.handSize", { count })] : []),
    words("duel.deckSize", { count: deckSize }),
    ...(rating === undefined ? [] : [words("duel.rating", { rating })]),
  ];
  let line: Line = [span(harmless(user), `name${nameColour(user)}` as Style)];
  for (const fact of facts) {
    const more = [...line, span(" · ", "dim"), span(fact)];
    if (lineCells(more) > size.columns) break;
    line = more;
  }
  const card = tableCard(words, table);
  const style: Style = table == null ? "dim" : "bold";
  return [line, [span("  "), span(words("duel.table", { card }), style)]];
}

function tableCard(words: DuelModel["words"], card: CardId | "hidden" | null | undefined): string {
  if (card == null) return words("duel.noCard");
  return card === "hidden" ? words("duel.faceDown") : cardName(words, card);
}

/** The last sentences, the newest at the bottom. */
function logLines({ words, size }: DuelModel, match: SeenMatch, rows: number): readonly Line[] {
  const room = Math.max(8, size.columns - 2);
  // Each event takes a line at least, so older events can't be seen.
  const events = match.events.slice(-2 * rows);
  const all = matchLog(events, match.view, words).flatMap((sentence) =>
    wrap(sentence, room, room).map((line): Line => [span("│ ", "dim"), span(line)]),
  );
  const shown = rows === 0 ? [] : all.slice(-rows);
  const missing = Array.from({ length: rows - shown.length }, (): Line => [span("│", "dim")]);
  return [...missing, ...shown];
}

/** The result, or the hand; nothing for a spectator of a match that goes on. */
function bottomLines(model: DuelModel, match: SeenMatch, rows: number): Table {
  const { view } = match;
  if (view.over != null) {
    return { lines: resultLines(model, match).slice(0, rows), chosenRow: undefined };
  }
  const hand = view.seat == null ? undefined : view.table?.sides[view.seat].hand;
  if (hand == null) return { lines: [], chosenRow: undefined };
  return handLines(model, { match, hand, rows });
}

function handLines(
  { words, size, chosen }: DuelModel,
  {
    match: { view },
    hand,
    rows,
  }: { readonly match: SeenMatch; readonly hand: readonly CardId[]; readonly rows: number },
): Table {
  if (hand.length === 0) {
    return { lines: [[span(words("duel.noHand"), "dim")]], chosenRow: undefined };
  }
  const { columns } = size;
  const hasCost = view.rules === "duel";
  const isWaiting = stageOf(view) === "wait";
  const width = Math.min(columns, handCells(columns, hasCost));
  const heading = spread(
    [span(words("duel.hand"), "bold")],
    [handHeading(words, columns, hasCost)],
    width,
  );
  const shown = Math.max(1, rows - 1);
  const top = Math.max(0, Math.min(chosen - Math.floor(shown / 2), hand.length - shown));
  const cards = hand.slice(top, top + shown).map((card, index) => {
    const at = top + index;
    const isAble = isWaiting || isPlayable(view, card);
    return cardRow(words, card, {
      at,
      isChosen: at === chosen,
      isPlayable: isAble,
      hasCost,
      columns,
    });
  });
  return { lines: [heading, ...cards], chosenRow: 1 + chosen - top };
}

function resultLines(model: DuelModel, { view, ratings, after }: SeenMatch): readonly Line[] {
  const { words, me, size } = model;
  const { over, seat } = view;
  const winner = over?.winner ?? undefined;
  const [said, style] = resultOf();
  const lines: Line[] = [[], [span(said, style)]];
  if (seat == null) return lines;
  if (after === undefined) return [...lines, [span(words("duel.ratingSoon"), "dim")]];
  const { rating } = after;
  const before = ratings.get(me);
  const difference = rating - (before ?? rating);
  const change = difference > 0 ? `+${difference}` : String(difference);
  const texts = [words("duel.newRating", { rating, change }), words("duel.record", { ...after })];
  const more = texts.flatMap((text) => wrap(text, size.columns, size.columns));
  return [...lines, ...more.map((line): Line => [span(line)])];

  function resultOf(): readonly [string, Style] {
    if (over?.isVoid === true) return [words("duel.void"), "warning"];
    if (winner === undefined) return [words("duel.draw"), "bold"];
    if (seat == null) {
      return [words("duel.hasWon", { user: harmless(userAt(view, winner)) }), "bold"];
    }
    return winner === seat ? [words("duel.won"), "good"] : [words("duel.beaten"), "bad"];
  }
}
