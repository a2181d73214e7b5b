import { Problem } from "../../platform/problem.ts";
import { type CardId, kindOf, type PackName, packNames, rarities } from "../../protocol/cards.ts";
import { harmless } from "../../protocol/harmless.ts";
import type { Offered } from "../../protocol/replies.ts";
import { administer } from "./accounts.ts";
import { type Context, nameOf, userOf, withClient } from "./context.ts";

/** `tertulia shop`: prints the user's coins, what is for sale, and the user's open offers. */
export async function showShop(context: Context): Promise<void> {
  const { text, output } = context;
  const shop = await withClient(context, (client) => client.ask("shop", { user: userOf(context) }));
  const { coins, packs, stock, trades } = shop;
  output.data({ coins }, text("line.coins", { coins }));
  for (const one of packs) {
    const cards = rarities.flatMap((rarity) => {
      const count = one.cards[rarity];
      return count === undefined ? [] : `${count} × ${text(`rarity.${rarity}`)}`;
    });
    const left = one.left === undefined ? "" : text("line.packsLeft", { left: one.left });
    const { pack, price } = one;
    output.data(one, harmless(text("line.pack", { pack, price, cards: cards.join(", "), left })));
  }
  const left = rarities.map((rarity) => `${stock[rarity] ?? 0} × ${text(`rarity.${rarity}`)}`);
  output.data({ stock }, text("line.stock", { cards: left.join(", ") }));
  for (const trade of trades) output.data(trade, harmless(written(context, trade)));
}

/** `tertulia shop buy PACK`: buys a pack, and prints its cards. */
export async function buyPack(context: Context, name: string): Promise<void> {
  const pack = packOf(context, name);
  const data = { user: userOf(context), pack };
  const { cards, coins } = await withClient(context, (client) => client.ask("buy", data));
  for (const card of cards) output(context, card);
  context.output.note(context.text("done.buy", { pack, coins }));
}

/** `tertulia shop supply PACK [NUMBER]`: says how many packs are for sale. */
export async function supplyPacks(
  context: Context,
  name: string,
  number: string | undefined,
): Promise<void> {
  const { text } = context;
  const pack = packOf(context, name);
  const left = number === undefined ? undefined : countOf(context, number);
  await administer(context, "supply", { pack, left });
  const key = left === undefined ? "done.supplyAny" : "done.supply";
  context.output.done({ pack, left }, text(key, { pack, left: left ?? 0 }));
}

/** `tertulia cards`: prints the user's cards and deck. */
export async function listCards(context: Context): Promise<void> {
  const user = userOf(context);
  const { cards, deck = [] } = await withClient(context, (client) => client.ask("cards", { user }));
  for (const card of cards) output(context, card);
  const listed = { cards: deck.join(", ") };
  if (deck.length > 0) {
    context.output.data({ deck }, harmless(context.text("line.deck", listed)));
  }
}

/** `tertulia cards deck CARDS`: chooses the cards to play with, separated by commas. */
export async function chooseDeck(context: Context, list: string): Promise<void> {
  const cards = cardsOf(list);
  const data = { user: userOf(context), cards };
  await withClient(context, (client) => client.ask("deck", data));
  context.output.done({ deck: cards }, context.text("done.deck", { count: cards.length }));
}

/** `tertulia cards offer NAME GIVE WANT`: offers cards for cards; each list is separated by commas. */
export async function offerCards(
  context: Context,
  name: string,
  [give, want]: readonly [give: string, want: string],
): Promise<void> {
  const to = nameOf(context, name);
  const data = { user: userOf(context), to, give: cardsOf(give), want: cardsOf(want) };
  const { trade } = await withClient(context, (client) => client.ask("offer", data));
  context.output.done({ trade }, context.text("done.offer", { user: to, trade }));
}

/** `tertulia cards accept NUMBER` and `tertulia cards drop NUMBER`. */
export async function answerOffer(
  context: Context,
  action: "accept" | "drop",
  number: string,
): Promise<void> {
  const trade = countOf(context, number);
  const data = { user: userOf(context), trade, accept: action === "accept" };
  await withClient(context, (client) => client.ask("trade", data));
  context.output.done({ trade, action }, context.text(`done.${action}Offer`, { trade }));
}

function output({ text, output }: Context, card: CardId): void {
  const kind = kindOf(card);
  if (kind === undefined) return output.data({ card }, harmless(card));
  const { name, rarity, attribute, power } = kind;
  const said = {
    name: text(`card.${name}`),
    rarity: text(`rarity.${rarity}`),
    attribute: text(`attribute.${attribute}`),
  };
  output.data(
    { card, name, rarity, attribute, power },
    text("line.card", { card, power, ...said }),
  );
}

function written({ text }: Context, { trade, by, to, give, want }: Offered): string {
  return text("line.offer", { trade, by, to, give: give.join(", "), want: want.join(", ") });
}

/** The server checks the ids. */
function cardsOf(list: string): CardId[] {
  return list.split(",").map((card) => card.trim());
}

/** @throws Problem (exit code 2) if there is no such pack */
function packOf({ text }: Context, name: string): PackName {
  const pack = packNames.find((one) => one === name);
  if (pack === undefined) {
    throw new Problem(text("problem.pack", { pack: name, packs: packNames.join(", ") }), 2);
  }
  return pack;
}

/** @throws Problem (exit code 2) if the text is not a whole number */
function countOf({ text }: Context, number: string): number {
  if (/^\d{1,15}$/.test(number)) return Number(number);
  throw new Problem(text("problem.count", { number }), 2);
}
