import { expect, test, vi } from "vitest";
import { gameConfig } from "../../src/game/config.ts";
import { MatchCopy } from "../../src/game/core/match-copy.ts";
import { startGame } from "../../src/game/game.ts";
import { Settings } from "../../src/platform/settings.ts";
import { FirstRound, stepsAt, traced } from "./first-round.ts";
import { MatchScene } from "./match-scene.ts";

/** Why the game server of this process refuses what its host proposes; undefined if it does not. */
let why: "card_not_in_hand" | undefined;

/** Starts a game server in this process. As a shadow it can refuse what its host proposes. */
async function joinGame({ cluster, joined }: MatchScene) {
  const { broker, proxy, reference } = cluster.endpoints;
  const front = "tcp://127.0.0.1:*";
  const settings = { broker, proxy, reference, front, data: cluster.folder, logLevel: "silent" };
  const game = await startGame(gameConfig(new Settings(settings, {})));
  joined.push(game);
  const { tried } = MatchCopy.prototype;
  vi.spyOn(MatchCopy.prototype, "tried").mockImplementation(function (this: MatchCopy, ...args) {
    const reason = this.term.shadow === game.name ? why : undefined;
    const made = tried.apply(this, args);
    return reason === undefined ? made : { ...made, outcomes: args[0].map(() => reason) };
  });
  await game.firstReady;
  return game;
}

/** Begins matches until one has its shadow in this process. */
async function shadowedBy(name: string, scene: MatchScene): Promise<FirstRound> {
  for (;;) {
    const round = await FirstRound.begin(scene);
    if (round.shadow.name === name) return round;
    round[Symbol.dispose]();
  }
}

test("[O68] a play that the shadow refuses is rolled back, and its trace has the shadow's reason at host and shadow", async () => {
  await using scene = await MatchScene.start({ servers: 1, games: 1 });
  await using game = await joinGame(scene);
  using round = await shadowedBy(game.name, scene);
  const { host, shadow } = round;
  why = "card_not_in_hand";
  expect(await round.play(host, "a-play")).toBe("unavailable");
  why = undefined;
  const trace = await traced(host.endpoint, "a-play");
  const reason = "card_not_in_hand";
  expect(stepsAt(trace, host.name)).toMatchObject([
    { kind: "asked" },
    { kind: "proposed", peer: shadow.name },
    { kind: "rolledBack", peer: shadow.name, reason },
    { kind: "replied", reason: "unavailable" },
  ]);
  expect(stepsAt(trace, shadow.name)).toMatchObject([
    { kind: "refused", peer: host.name, reason },
    { kind: "dropped", peer: host.name },
  ]);
  // The same play, sent again, takes effect once, and its trace has both attempts.
  expect(await round.play(host, "a-play")).toBeUndefined();
  const kinds = stepsAt(await traced(host.endpoint, "a-play"), host.name).map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind === "proposed")).toHaveLength(2);
  expect(kinds.filter((kind) => kind === "made")).toHaveLength(1);
}, 90_000);
