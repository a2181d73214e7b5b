import { expect, test } from "vitest";
import { GameClient } from "../../src/client/game-client.ts";
import { GameLinks } from "../../src/client/game-links.ts";
import { ProtocolError } from "../../src/protocol/errors.ts";
import type { Look } from "../../src/protocol/game-requests.ts";
import type { UserName } from "../../src/protocol/ids.ts";
import { StandInGame } from "../support/stand-in-game.ts";
import { until } from "../support/until.ts";

const idle: Look = { phase: "idle" };
const ana = "ana" as UserName;

/** Two game servers, of which the first is the one that ana uses. */
async function pair(answers: (isFirst: boolean) => Look | Promise<Look>) {
  let first = "";
  const start = async () => {
    const game: StandInGame = await StandInGame.start(() => answers(game.endpoint === first));
    return game;
  };
  const games = [await start(), await start()];
  const links = new GameLinks(games.map(({ endpoint }) => endpoint));
  first = links.gameOf(ana);
  const used = games.find(({ endpoint }) => endpoint === first) as StandInGame;
  const other = games.find((game) => game !== used) as StandInGame;
  const close = async () => {
    links[Symbol.dispose]();
    for (const game of games) await game[Symbol.asyncDispose]();
  };
  return { links, used, other, [Symbol.asyncDispose]: close };
}

test("a player whose game server ends during a look is answered by the other one within 2 s", async () => {
  await using games = await pair((isFirst) => (isFirst ? new Promise(() => {}) : idle));
  using client = new GameClient({ games: games.links, user: ana });
  const look = client.look({ eventSeq: 0 }, 10_000);
  await until(() => games.used.asked.length === 1, "the question arrives");
  const beganMs = performance.now();
  await games.used[Symbol.asyncDispose]();
  expect(await look).toEqual(idle);
  expect(performance.now() - beganMs).toBeLessThan(2_000);
  expect(client.game).toBe(games.other.endpoint);
});

test("a player stays with one game server, and goes to the other one if the first can't serve", async () => {
  let isFull = false;
  await using games = await pair((isFirst) => {
    if (isFirst && isFull) throw new ProtocolError("unavailable", "It is full.");
    return idle;
  });
  const { links, used, other } = games;
  using client = new GameClient({ games: links, user: ana });
  using same = new GameClient({ games: links, user: ana });
  for (const one of [client, same, client]) await one.look();
  expect([used.asked.length, other.asked.length]).toEqual([3, 0]);
  isFull = true;
  await client.look();
  expect([used.asked.length, other.asked.length]).toEqual([4, 1]);
  // Both connections of the player go on at the same game server.
  await same.enter("clash");
  expect([used.asked.length, other.asked.length]).toEqual([4, 2]);
});

test("a client that is closed leaves shared connections open, and closed connections fail at once", async () => {
  await using games = await pair(() => idle);
  const client = new GameClient({ games: games.links, user: ana });
  client[Symbol.dispose]();
  using other = new GameClient({ games: games.links, user: ana });
  expect(await other.look()).toEqual(idle);
  games.links[Symbol.dispose]();
  const beganMs = performance.now();
  await expect(other.look()).rejects.toMatchObject({ code: "unavailable" });
  expect(performance.now() - beganMs).toBeLessThan(1_000);
});
