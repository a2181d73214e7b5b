/** The rarities of cards, from the commonest on. */
export const rarities = ["common", "uncommon", "rare", "legendary"] as const;
export type Rarity = (typeof rarities)[number];

/** Each attribute beats the next one, and the last beats the first. */
export const attributes = ["fire", "plant", "water"] as const;
export type Attribute = (typeof attributes)[number];

export const cardNames = [
  ...["dragon", "warrior", "mage", "angel", "demon", "phoenix", "titan", "mermaid"],
  ...["wolf", "eagle", "lion", "tiger", "knight", "archer", "barbarian", "paladin"],
] as const;

/** A kind of card, of which there are so many copies. */
export interface CardKind {
  /** Its name and rarity, such as `dragon-rare`. */
  readonly kind: string;
  readonly name: (typeof cardNames)[number];
  readonly rarity: Rarity;
  readonly attribute: Attribute;
  readonly power: number;
  readonly copies: number;
}

/** For each rarity, the copies of each kind, the lowest power, and by how much powers differ. */
const editions: Readonly<Record<Rarity, { copies: number; least: number; spread: number }>> = {
  common: { copies: 100, least: 1, spread: 50 },
  uncommon: { copies: 50, least: 51, spread: 30 },
  rare: { copies: 20, least: 81, spread: 20 },
  legendary: { copies: 5, least: 101, spread: 20 },
};

/** All kinds of cards, by rarity: 64 kinds with 2,800 copies. */
export const cardKinds: readonly CardKind[] = rarities.flatMap((rarity) => {
  const { copies, least, spread } = editions[rarity];
  return cardNames.map((name, at): CardKind => {
    const attribute = attributes[at % attributes.length] as Attribute;
    // Names that follow each other differ much in power, so that no name is always the stronger one.
    const power =
      least + (((at * 7 + 3 * rarities.indexOf(rarity)) % cardNames.length) * spread) / 16;
    return { kind: `${name}-${rarity}`, name, rarity, attribute, power: Math.floor(power), copies };
  });
});

const byKind = new Map(cardKinds.map((kind) => [kind.kind, kind]));

/** The id of one copy of a card: its kind, and a number from 1 on, such as `dragon-rare-7`. */
export type CardId = string;

/** Returns the kind of a card; undefined if there is no such card. */
export function kindOf(card: CardId): CardKind | undefined {
  const [, kind = "", number = ""] = /^(.*)-([1-9]\d{0,3})$/.exec(card) ?? [];
  const found = byKind.get(kind);
  return found !== undefined && Number(number) <= found.copies ? found : undefined;
}

/** A pack has five cards. */
export interface Pack {
  readonly price: number;
  /** How many cards of each rarity are in it. */
  readonly cards: Readonly<Partial<Record<Rarity, number>>>;
}

export const packs = {
  basic: { price: 100, cards: { common: 4, uncommon: 1 } },
  premium: { price: 500, cards: { common: 2, rare: 3 } },
  legendary: { price: 1_000, cards: { common: 2, rare: 2, legendary: 1 } },
} as const satisfies Record<string, Pack>;

export type PackName = keyof typeof packs;
export const packNames = Object.keys(packs) as PackName[];

/** The cards that are lent to a player who owns too few to play. They belong to nobody. */
export const lentCards: readonly CardId[] = ["mage", "wolf", "tiger", "archer", "angel"].map(
  (name) => `${name}-common-1`,
);
