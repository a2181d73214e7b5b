import { Type } from "typebox";
import { packNames } from "../../protocol/cards.ts";
import type { UserName } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { requestId, userOf } from "../people.ts";
import { type AddRoutes, answers, name, outcomes, slotReply } from "./route.ts";

const pack = Type.Enum([...packNames]);
const card = Type.String({ description: "The id of a card, such as `dragon-rare-7`." });
const cards = Type.Array(card);
const offered = Type.Array(card, { minItems: 1, maxItems: limits.tradeCards });
const ofRarities = Type.Record(Type.String(), Type.Integer(), { description: "Cards by rarity." });
const trade = Type.Integer({ description: "The number of the offer." });

const offer = Type.Object(
  { trade, by: name, to: name, give: cards, want: cards },
  { title: "Offer" },
);

const shop = Type.Object({
  coins: Type.Integer({ description: "The user's coins." }),
  packs: Type.Array(
    Type.Object({
      pack,
      price: Type.Integer({ description: "In coins." }),
      cards: ofRarities,
      left: Type.Optional(
        Type.Integer({ description: "How many packs are for sale; else any number." }),
      ),
    }),
  ),
  stock: ofRarities,
  trades: Type.Array(offer, { description: "The open offers by the user and to the user." }),
});

/** The shop: packs of cards, and the exchange of cards (Q18, Q19). */
export const shopRoutes: AddRoutes = (api, people) => {
  for (const add of [addLists, addPacks, addOffers]) add(api, people);
};

const addLists: AddRoutes = (api, people) => {
  api.get(
    "/shop",
    {
      schema: {
        summary: "See the shop, and the own coins and offers",
        tags: ["shop"],
        response: answers(shop),
      },
    },
    (request, reply) =>
      people.serve(request, reply, async (session) => {
        const found = await session.ask("shop", { user: userOf(session) });
        const { coins, packs, stock, trades } = found;
        return { coins, packs: [...packs], stock, trades: [...trades] } as never;
      }),
  );

  api.get(
    "/users/:user/cards",
    {
      schema: {
        summary: "List the own cards",
        tags: ["shop"],
        params: Type.Object({ user: name }),
        response: answers(Type.Object({ cards }), "name_invalid"),
      },
    },
    (request, reply) =>
      people.serve(request, reply, async (session) => {
        const { cards: found } = await session.ask("cards", {
          user: request.params.user as UserName,
        });
        return { cards: [...found] };
      }),
  );
};

const addPacks: AddRoutes = (api, people) => {
  api.post(
    "/shop/purchases",
    {
      schema: {
        summary: "Buy a pack of five cards",
        tags: ["shop"],
        body: Type.Object({ pack }),
        response: outcomes(
          201,
          Type.Object({ cards, coins: Type.Integer({ description: "The coins that are left." }) }),
          ...(["sold_out", "too_few_coins", "id_reused", "expired"] as const),
        ),
      },
    },
    async (request, reply) => {
      const bought = await people.serve(request, reply, async (session) => {
        const data = { user: userOf(session), pack: request.body.pack };
        const { cards: found, coins } = await session.ask("buy", data, requestId(request));
        return { cards: [...found], coins };
      });
      return reply.code(201).send(bought);
    },
  );

  api.put(
    "/shop/packs/:pack",
    {
      schema: {
        summary: "Say how many packs are for sale (administrators)",
        description: "Without `left`, as many as the stock of cards allows.",
        tags: ["shop"],
        params: Type.Object({ pack }),
        body: Type.Object({
          left: Type.Optional(Type.Integer({ minimum: 0, maximum: limits.packsLeft })),
        }),
        response: outcomes(200, slotReply, "id_reused", "expired"),
      },
    },
    (request, reply) =>
      people.serve(request, reply, async (session) => {
        const data = { pack: request.params.pack, left: request.body.left };
        const { slot } = await session.ask("supply", data, requestId(request));
        return { slot };
      }),
  );
};

const addOffers: AddRoutes = (api, people) => {
  api.post(
    "/shop/offers",
    {
      schema: {
        summary: "Offer cards to another user for cards of theirs",
        tags: ["shop"],
        body: Type.Object({ to: name, give: offered, want: offered }),
        response: outcomes(
          201,
          Type.Object({ trade }),
          ...(["card_not_owned", "name_invalid", "id_reused", "expired"] as const),
        ),
      },
    },
    async (request, reply) => {
      const made = await people.serve(request, reply, async (session) => {
        const { to, give, want } = request.body;
        const data = { user: userOf(session), to: to as UserName, give, want };
        const answer = await session.ask("offer", data, requestId(request));
        return { trade: answer.trade };
      });
      return reply.code(201).send(made);
    },
  );

  api.patch(
    "/shop/offers/:trade",
    {
      schema: {
        summary: "Accept an offer, or drop it",
        tags: ["shop"],
        params: Type.Object({ trade }),
        body: Type.Object({ accept: Type.Boolean() }),
        response: outcomes(
          200,
          slotReply,
          ...(["trade_not_found", "card_not_owned", "id_reused", "expired"] as const),
        ),
      },
    },
    (request, reply) =>
      people.serve(request, reply, async (session) => {
        const { accept } = request.body;
        const data = { user: userOf(session), trade: request.params.trade, accept };
        const { slot } = await session.ask("trade", data, requestId(request));
        return { slot };
      }),
  );
};
