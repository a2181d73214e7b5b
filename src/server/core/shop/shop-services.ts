import { packNames, packs } from "../../../protocol/cards.ts";
import type { ParsedRequest, RequestOf } from "../../../protocol/client-messages.ts";
import { ProtocolError } from "../../../protocol/errors.ts";
import { object, optional } from "../../../protocol/fields.ts";
import { parseUserName, type UserName } from "../../../protocol/ids.ts";
import { limits } from "../../../protocol/limits.ts";
import type { Replies } from "../../../protocol/replies.ts";
import {
  cards,
  deckCards,
  packName,
  packsLeft,
  slot as wholeNumber,
  yesOrNo,
} from "../../../protocol/request-fields.ts";
import { asking } from "../accounts/asking.ts";
import {
  type Circumstances,
  charge,
  type Decision,
  full,
  noUser,
  refuse,
  type Services,
  waits,
} from "../serving/decision.ts";
import type { ServiceRows } from "../serving/service.ts";
import type { ShopOperations, ShopOutcome } from "./shop-operations.ts";

/** Operations of users: they count for the pace of messages, and much for that of a connection (X4). */
const asked = {
  for: "users",
  as: ({ user }: { readonly user: UserName }) => user,
  sender: ({ user }: { readonly user: UserName }) => user,
  cost: limits.shopCost,
} as const;

type ShopService = keyof ShopOperations | "shop" | "cards";

/** The services of the shop: packs of cards, the exchange of cards, and decks. */
export const shopServices: ServiceRows<ShopService> = {
  shop: {
    parse: object({ user: parseUserName }),
    for: "users",
    as: ({ user }) => user,
    decide: (services, request, at) => waits(services, request, at) ?? show(services, request, at),
  },
  cards: {
    parse: object({ user: parseUserName }),
    for: "users",
    // An opponent who knew a user's cards would know what they play with.
    as: ({ user }) => user,
    decide: (services, request, at) => waits(services, request, at) ?? list(services, request, at),
  },
  buy: {
    parse: object({ user: parseUserName, pack: packName }),
    ...asked,
    decide: (services, request, at) => {
      const { user, pack } = request;
      // The clock never repeats a number, and nobody else knows `chance`, so nobody can foresee a draw.
      const draw = services.digest.chain(services.chance, String(services.clock.tick()));
      const data = { kind: "buy", fields: { pack }, more: { draw } } as const;
      return stranger(services, request, at) ?? ask(services, request, { by: user, ...data });
    },
  },
  offer: {
    parse: object({ user: parseUserName, to: parseUserName, give: cards, want: cards }),
    ...asked,
    decide: (services, request, at) => {
      const { user, to, give, want } = request;
      if (to === user) return refuse(new ProtocolError("bad_request", "`to` is yourself."));
      const data = { kind: "offer", fields: { to, give, want } } as const;
      return stranger(services, request, at) ?? ask(services, request, { by: user, ...data });
    },
  },
  trade: {
    parse: ({ user, trade, accept }) => ({
      user: parseUserName(user),
      trade: wholeNumber(trade, "trade"),
      isAccepted: yesOrNo(accept, "accept"),
    }),
    ...asked,
    decide: (services, request, at) => {
      const { user, trade, isAccepted } = request;
      const data = { kind: "trade", fields: { trade, isAccepted } } as const;
      return stranger(services, request, at) ?? ask(services, request, { by: user, ...data });
    },
  },
  deck: {
    parse: object({ user: parseUserName, cards: deckCards }),
    ...asked,
    decide: (services, request, at) => {
      const { user, cards: chosen } = request;
      const data = { kind: "deck", fields: { cards: chosen } } as const;
      return stranger(services, request, at) ?? ask(services, request, { by: user, ...data });
    },
  },
  supply: {
    parse: object({ pack: packName, left: optional(packsLeft) }),
    for: "administrators",
    needsAccounts: true,
    decide: (services, request) => {
      const by = request.session?.user as UserName;
      const { pack, left } = request;
      return ask(services, request, { by, kind: "supply", fields: { pack, left } });
    },
  },
};

/**
 * Refuses a user without a log-in. Otherwise one person could fill the log with invented names.
 */
function stranger(
  services: Services,
  request: ParsedRequest & { readonly user: UserName },
  at: Circumstances,
): Decision<never> | undefined {
  if (services.chat.knowsUser(request.user)) return undefined;
  return waits(services, request, at) ?? refuse(noUser(request.user));
}

const errors: Readonly<Record<ShopOutcome, () => ProtocolError>> = {
  sold_out: () =>
    new ProtocolError("sold_out", "This pack is sold out, or the stock lacks a card."),
  too_few_coins: () =>
    new ProtocolError("too_few_coins", "Your coins don't suffice for this pack."),
  card_not_owned: () => {
    const text = "One of the cards does not belong to the user who would give it or play with it.";
    return new ProtocolError("card_not_owned", text);
  },
  trade_not_found: () => {
    return new ProtocolError("trade_not_found", "There is no such offer to you, or it is over.");
  },
  too_many_trades: () => {
    const text =
      "You have too many open offers, or too many to this user, or this user got too many.";
    return new ProtocolError("forbidden", text, { reason: "too_many_trades" });
  },
};

const ask = asking<ShopOperations>(errors);

function show(
  { shop }: Services,
  { user }: RequestOf<"shop">,
  { room }: Circumstances,
): Decision<Replies["shop"]> {
  const trades = shop.tradesOf(user);
  if (!charge(room, shopBytes + trades.length * tradeBytes)) return full();
  const forSale = packNames.map((pack) => ({ pack, ...packs[pack], left: shop.left(pack) }));
  const answer = { coins: shop.coins(user), packs: forSale, stock: shop.stock(), trades };
  return { next: "answer", answer };
}

function list(
  { shop }: Services,
  { user }: RequestOf<"cards">,
  { room }: Circumstances,
): Decision<Replies["cards"]> {
  const [owned, deck] = [shop.cardsOf(user), shop.deckOf(user)];
  if (!charge(room, (owned.length + deck.length) * cardBytes)) return full();
  return { next: "answer", answer: { cards: owned, deck } };
}

/** The bytes of the answer to `shop`, without the offers. */
const shopBytes = 1_024;
/** The bytes of one card in an answer. */
const cardBytes = 40;
/** The bytes of one offer in an answer: its cards, two names, and the names of its fields. */
const tradeBytes = 2 * limits.tradeCards * cardBytes + 2 * 4 * limits.nameCharacters + 64;
