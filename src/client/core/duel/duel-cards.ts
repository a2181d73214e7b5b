import { attributes, type CardId, kindOf, type Rarity } from "../../../protocol/cards.ts";
import type { MatchView } from "../../../protocol/game-view.ts";
import { harmless } from "../../../protocol/harmless.ts";
import type { Text } from "../../../texts/texts.ts";
import { pad } from "../cells.ts";
import { type Line, type Span, type Style, span } from "../spans.ts";

/**
 * The points that a card costs (duel), to show what a player can pay. The game server decides; a test
 * compares this table with its rules.
 */
export const cardCosts: Readonly<Record<Rarity, number>> = {
  common: 1,
  uncommon: 2,
  rare: 3,
  legendary: 5,
};

/** What a player may do: their own turn, an answer to the other one's card, or nothing. */
export type Stage = "play" | "counter" | "wait";

/** @returns `wait` for a spectator, and before and after the rounds */
export function stageOf({ seat, table, rules, over }: MatchView): Stage {
  if (seat == null || table == null || over != null || !table.turn.includes(seat)) return "wait";
  const attack = table.sides[seat === 0 ? 1 : 0].table;
  return rules === "duel" && attack != null ? "counter" : "play";
}

/**
 * Whether the player may put this card now, as far as the view shows.
 * @param points what the player can pay with; by default what the view says
 */
export function isPlayable(view: MatchView, card: CardId, points?: number): boolean {
  const stage = stageOf(view);
  if (stage === "wait" || view.seat == null) return false;
  if (view.rules === "clash") return true;
  const { sides } = view.table as NonNullable<MatchView["table"]>;
  const attack = sides[view.seat === 0 ? 1 : 0].table;
  const canPay = costOf(card) <= (points ?? sides[view.seat].points ?? 0);
  return canPay && (stage === "play" || (attack != null && beats(card, attack)));
}

function costOf(card: CardId): number {
  return cardCosts[kindOf(card)?.rarity ?? "common"];
}

/** Each attribute beats the next one, and the last beats the first. */
function beats(card: CardId, opposed: CardId): boolean {
  const [mine, theirs] = [kindOf(card)?.attribute, kindOf(opposed)?.attribute];
  if (mine === undefined) return false;
  return attributes[(attributes.indexOf(mine) + 1) % attributes.length] === theirs;
}

/** A card in a sentence: `Wolf (common, plant, 29)`. */
export function cardName(words: Text, card: CardId): string {
  const kind = kindOf(card);
  if (kind === undefined) return harmless(card);
  const { name, rarity, attribute, power } = kind;
  const about = `${words(`rarity.${rarity}`)}, ${words(`attribute.${attribute}`)}, ${power}`;
  return `${words(`card.${name}`)} (${about})`;
}

/** The name of a card alone. */
export function shortName(words: Text, card: CardId): string {
  const kind = kindOf(card);
  return kind === undefined ? harmless(card) : words(`card.${kind.name}`);
}

const attributeStyles = { fire: "bad", plant: "good", water: "name3" } as const;
const rarityStyles: Readonly<Record<Rarity, Style>> = {
  common: "plain",
  uncommon: "name0",
  rare: "name2",
  legendary: "warning",
};

/** The columns of a hand: name, rarity and attribute; power and cost are right-aligned. */
const cells = { name: 9, rarity: 9, attribute: 6 } as const;
/** The fewest columns with room for headings above power and cost. */
const headedFrom = 44;

/** @param hasCost true in a game in which cards cost points */
export function handHeading(words: Text, columns: number, hasCost: boolean): Span {
  const names = [words("duel.power"), ...(hasCost ? [words("duel.cost")] : [])];
  const isHeaded = columns >= headedFrom;
  return span(isHeaded ? names.map((name) => name.padStart(6)).join("") : names.join(", "), "dim");
}

/** The cells of a card's row, of which the heading takes the last ones. */
export function handCells(columns: number, hasCost: boolean): number {
  const [power, cost] = columns >= headedFrom ? [6, 6] : [4, 3];
  return 3 + cells.name + 1 + cells.rarity + 1 + cells.attribute + power + (hasCost ? cost : 0);
}

interface Row {
  readonly at: number;
  readonly isChosen: boolean;
  /** Whether the card may be put now; other cards are dim. */
  readonly isPlayable: boolean;
  readonly hasCost: boolean;
  readonly columns: number;
}

/** A card of the hand, as one line. */
export function cardRow(words: Text, card: CardId, row: Row): Line {
  const { at, isChosen, hasCost, columns } = row;
  const kind = kindOf(card);
  const mark = `${isChosen ? "›" : " "}${at < 9 ? at + 1 : " "} `;
  if (kind === undefined) return [span(mark), span(harmless(card))];
  const { name, rarity, attribute, power } = kind;
  const style = (usual: Style): Style => (row.isPlayable ? usual : "dim");
  const [powerCells, costCells] = columns >= headedFrom ? [6, 6] : [4, 3];
  const cost = hasCost ? [span(String(cardCosts[rarity]).padStart(costCells), style("plain"))] : [];
  return [
    span(mark, isChosen ? "bold" : "dim"),
    span(`${pad(words(`card.${name}`), cells.name)} `, style(isChosen ? "bold" : "plain")),
    span(`${pad(words(`rarity.${rarity}`), cells.rarity)} `, style(rarityStyles[rarity])),
    span(pad(words(`attribute.${attribute}`), cells.attribute), style(attributeStyles[attribute])),
    span(String(power).padStart(powerCells), style("bold")),
    ...cost,
  ];
}
