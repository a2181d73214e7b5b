import { afterAll, beforeAll, expect, test } from "vitest";
import { ClientPlayer } from "../support/match-doors.ts";
import { expectSame } from "../support/match-player.ts";
import { until } from "../support/until.ts";
import { logOf } from "./folders.ts";
import { faultMs, MatchScene } from "./match-scene.ts";
import { SecretChange } from "./secret-change.ts";

let scene: MatchScene;

beforeAll(async () => {
  scene = await MatchScene.start();
}, 60_000);
afterAll(() => scene?.[Symbol.asyncDispose](), 30_000);

type Pair = readonly [ClientPlayer, ClientPlayer];

/** Two users with 30 cards each, who have begun a clash and wait. */
async function inMatch(): Promise<{ readonly pair: Pair; readonly ended: Promise<unknown> }> {
  const users = scene.pair();
  await scene.buy(users, 6);
  const pair = users.map((user) => new ClientPlayer(scene.games, { user })) as unknown as Pair;
  for (const player of pair) player.upTo(0);
  const ended = Promise.all(pair.map((player) => player.run("clash")));
  // The end is awaited later.
  ended.catch(() => {});
  await until(() => pair.every(({ seen }) => seen.round > 0), "the match has begun", faultMs);
  return { pair, ended };
}

/** Both play one more round. */
async function playOn(pair: Pair): Promise<void> {
  const round = Math.max(...pair.map(({ seen }) => seen.round));
  for (const player of pair) player.upTo(round);
  for (const player of pair) await player.hasEnded(round, faultMs);
}

/** Both play to the end, and were told the same. */
async function playOut({ pair, ended }: Awaited<ReturnType<typeof inMatch>>): Promise<void> {
  for (const player of pair) player.upTo(Number.POSITIVE_INFINITY);
  await ended;
  expectSame(pair[0].seen, pair[1].seen);
  for (const player of pair) player[Symbol.dispose]();
}

test("[O55] matches go on while the secret is changed, but for one that began before step 2 and goes on after step 3", async () => {
  using change = new SecretChange(scene.cluster, { writeEveryMs: 1_000 });
  const [first, early] = [await inMatch(), await inMatch()];
  for (const action of ["add", "switch"] as const) {
    await change.step(action);
    for (const { pair } of [first, early]) await playOn(pair);
  }
  await playOut(first);
  const late = await inMatch();
  await change.step("drop");
  await playOut(late);
  const isLogged = () =>
    scene.cluster.of("game").every((game) => logOf(scene.cluster, game).includes(sentence));
  const sentence = "Logs of matches are damaged, or signed by a secret that was dropped";
  await until(isLogged, "both game servers tell of the match that is lost");
  const [ana] = early.pair;
  expect((await scene.matchesOf(ana.user)).open?.match).toBe(ana.seen.view?.match);
  for (const player of early.pair) player[Symbol.dispose]();
}, 600_000);
