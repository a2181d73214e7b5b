import { cardCosts, cardName } from "../../../client/core/duel/duel-cards.ts";
import { type Attribute, type CardId, kindOf } from "../../../protocol/cards.ts";
import { harmless } from "../../../protocol/harmless.ts";
import type { DuelPage } from "../duel-page.ts";

/** Signs that every font has. */
const signs: Readonly<Record<Attribute, string>> = { fire: "▲", plant: "♣", water: "≈" };

interface Parts {
  readonly page: DuelPage;
  readonly card: CardId;
  /** Whether cards cost points in this game. */
  readonly hasCost: boolean;
}

/** The name of a card for a screen reader: `Wolf (common, plant, 29), cost 1`. */
export function cardLabel({ page, card, hasCost }: Parts): string {
  const { words } = page;
  const kind = kindOf(card);
  const name = cardName(words, card);
  if (!hasCost || kind === undefined) return name;
  return `${name}, ${words("duel.cost")} ${cardCosts[kind.rarity]}`;
}

/** What is printed on a card. In the order of a sentence, because a screen reader speaks it so. */
export function CardFace({ page, card, hasCost }: Parts) {
  const { words } = page;
  const kind = kindOf(card);
  if (kind === undefined) return <span>{harmless(card)}</span>;
  const { name, rarity, attribute, power } = kind;
  return (
    <span class={`face is-${rarity} is-${attribute}`}>
      <span class="name">{words(`card.${name}`)}</span>
      <span class="kind">
        {words(`rarity.${rarity}`)} · {words(`attribute.${attribute}`)}
      </span>
      <b class="power">
        <span class="aside">{words("duel.power")} </span>
        {power}
      </b>
      {hasCost && (
        <span class="cost">
          <span class="aside">{words("duel.cost")} </span>
          {cardCosts[rarity]}
        </span>
      )}
      <span class="sign" aria-hidden="true">
        {signs[attribute]}
      </span>
    </span>
  );
}

/** The back of a card that nobody may see. */
export function CardBack() {
  return <span class="face back" aria-hidden="true" />;
}
