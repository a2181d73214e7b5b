import { beforeAll, expect, test } from "vitest";
import { Connection } from "../../src/client/connection.ts";
import type { UserName } from "../../src/protocol/ids.ts";
import type { GameName, MatchId } from "../../src/protocol/matches.ts";
import { gatewayScene } from "./gateway-scene.ts";

const scene = gatewayScene({ auth: "required" });
const matches = "GET /api/v1/users/{user}/matches";
let eva: string;

beforeAll(async () => {
  [eva] = [await scene.enter("eva"), await scene.enter("ana"), await scene.enter("bia")];
}, 60_000);

test("[G54] a user's matches and the ranking are shown to every user", async () => {
  const game = "game_0a1b2c3d" as GameName;
  const match = "0a1b2c3d4e5f6a7b" as MatchId;
  const [ana, bia] = [
    { user: "ana" as UserName, game },
    { user: "bia" as UserName, game },
  ];
  const { broker } = scene.cluster.endpoints;
  const connection = new Connection({ brokers: [broker], proxies: [] });
  const server = connection.session({ token: scene.operator() });
  const beginning = { match, rules: "clash", players: [ana, bia], host: game, game } as const;
  await server.ask("matchBegin", beginning);
  const asked = { token: eva, path: { user: "ana" } };
  expect((await scene.ask(matches, asked)).json).toMatchObject({
    open: { match, rules: "clash", players: [{ user: "ana" }, { user: "bia" }], term: 1 },
    record: { rating: 1_200 },
    ended: [],
  });
  await server.ask("matchEnd", { match, term: 1, winner: ana.user, game });
  connection.close();
  const { json } = await scene.ask(matches, asked);
  expect(json).toMatchObject({ record: { won: 1 }, ended: [{ match, winner: "ana" }] });
  expect(json.open).toBeUndefined();
  const ranking = await scene.ask("GET /api/v1/ranking", { token: eva });
  expect(ranking.json.players).toMatchObject([
    { user: "ana", rating: 1_216 },
    { user: "bia", rating: 1_184 },
  ]);
});
