import { beforeAll, expect, test } from "vitest";
import { gatewayScene } from "./gateway-scene.ts";

const scene = gatewayScene({ auth: "required" });
const shop = "GET /api/v1/shop";
const buy = "POST /api/v1/shop/purchases";
const offers = "POST /api/v1/shop/offers";
const answer = "PATCH /api/v1/shop/offers/{trade}";
const supply = "PUT /api/v1/shop/packs/{pack}";
const list = "GET /api/v1/users/{user}/cards";
const body = { pack: "basic" };
let ana: string;
let bia: string;

beforeAll(async () => {
  [ana, bia] = [await scene.enter("ana"), await scene.enter("bia")];
}, 60_000);

test("[G53] a purchase that is repeated with its key is made once, and has the same cards", async () => {
  const headers = { "idempotency-key": "first" };
  const first = await scene.ask(buy, { token: ana, body, headers });
  expect(first).toMatchObject({ status: 201, json: { coins: 900 } });
  expect(first.json.cards).toHaveLength(5);
  expect((await scene.ask(buy, { token: ana, body, headers })).json).toEqual(first.json);
  const { json } = await scene.ask(list, { token: ana, path: { user: "ana" } });
  expect(json.cards).toEqual([...first.json.cards].sort());
  const other = await scene.ask(list, { token: bia, path: { user: "ana" } });
  expect(other).toMatchObject({ status: 403, json: { code: "forbidden" } });
  expect((await scene.ask(shop, { token: ana })).json).toMatchObject({
    coins: 900,
    packs: [{ pack: "basic", price: 100 }, { pack: "premium" }, { pack: "legendary" }],
    stock: { common: 1_596, uncommon: 799, rare: 320, legendary: 80 },
    trades: [],
  });
});

test("[G53] an offer is accepted by the user whom it is for, and exchanges cards", async () => {
  const [hers, theirs] = await Promise.all(
    [ana, bia].map(async (token) => (await scene.ask(buy, { token, body })).json.cards[0]),
  );
  const data = { to: "bia", give: [hers], want: [theirs] };
  const { status, json } = await scene.ask(offers, { token: ana, body: data });
  expect(status).toBe(201);
  const path = { trade: String(json.trade) };
  const accept = { path, body: { accept: true } };
  expect(await scene.ask(answer, { token: ana, ...accept })).toMatchObject({
    status: 404,
    json: { code: "trade_not_found" },
  });
  expect(await scene.ask(answer, { token: bia, ...accept })).toMatchObject({ status: 200 });
  const cards = await scene.ask(list, { token: ana, path: { user: "ana" } });
  expect(cards.json.cards).toContain(theirs);
});

test("[G53] a pack that costs too much, or is not for sale, gets 409, and only administrators say what is for sale", async () => {
  const rich = await scene.ask(buy, { token: bia, body: { pack: "legendary" } });
  expect(rich).toMatchObject({ status: 409, json: { code: "too_few_coins" } });
  const none = { path: { pack: "premium" }, body: { left: 0 } };
  expect(await scene.ask(supply, { token: bia, ...none })).toMatchObject({ status: 403 });
  expect(await scene.ask(buy, { token: bia, body: { pack: "huge" } })).toMatchObject({
    status: 400,
  });
});
