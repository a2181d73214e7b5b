import { describe, expect, test } from "vitest";
import type { GameRequest } from "../../../src/protocol/game-requests.ts";
import type { MatchView } from "../../../src/protocol/game-view.ts";
import type { MatchId } from "../../../src/protocol/matches.ts";
import type { VirtualGame } from "../../simulation/matches/virtual-game.ts";
import { ada, bob, TwoServers } from "./two-servers.ts";

const look: GameRequest = { type: "look", waitMs: 0 };
/** A match that no server has. */
const unknown = { match: "fedcba9876543210" as MatchId, eventSeq: 3 };

describe("a look at a match that is over", () => {
  test.each([ada, bob])("is answered after a second if nothing is new, to %s", (user) => {
    const servers = new TwoServers();
    servers.start();
    const { match } = servers;
    servers.done(bob, { type: "giveUp" });
    const seen = servers.get(user, look);
    const { view } = (seen as { answer: { view: MatchView } }).answer;
    expect(view.over).toBeDefined();
    servers.runFor(1_000);
    const after = { match, eventSeq: view.eventSeq };
    const told = servers.ask(user, { type: "look", waitMs: 10_000, after });
    servers.runFor(1_500);
    expect(told.answered).toMatchObject({ answer: { phase: "match", view, events: [] } });
  });

  test("is answered too if it began before the end was decided", () => {
    const servers = new TwoServers();
    servers.start();
    const { match } = servers;
    servers.world.decides = false;
    servers.done(bob, { type: "giveUp" });
    const seen = servers.get(ada, look);
    const { eventSeq } = (seen as { answer: { view: MatchView } }).answer.view;
    const after = { match, eventSeq };
    const told = servers.ask(ada, { type: "look", waitMs: 10_000, after });
    servers.world.decides = true;
    servers.runFor(2_500);
    expect(told.answered).toMatchObject({ answer: { phase: "match", events: [] } });
  });
});

/** Plays a match of Ada and Bob at two servers of three to its end. */
function ended() {
  const servers = new TwoServers(3);
  servers.start();
  const { match } = servers;
  servers.done(bob, { type: "giveUp" });
  servers.runFor(500);
  expect(servers.world.arbiter.matches.ended(match)).toBeDefined();
  const third = servers.world.games.find(({ core }) => core?.holdings.get(match) === undefined);
  return { servers, match, third: third as VirtualGame };
}

describe("a player whose game server never had their match", () => {
  test("is told how it ended", () => {
    const { servers, match, third } = ended();
    const after = { match, eventSeq: 3 };
    const told = servers.get(ada, { type: "look", waitMs: 0, after }, third);
    expect(told).toMatchObject({
      answer: { view: { match }, events: [{ type: "GAVE_UP" }, { type: "MATCH_END" }] },
    });
  });

  test("is told that they sit in none if no server knows the match that they have seen", () => {
    const { servers, third } = ended();
    const told = servers.get(ada, { type: "look", waitMs: 0, after: unknown }, third);
    expect(told).toEqual({ answer: { phase: "idle" } });
  });
});

describe("a player who has seen nothing of their last match, which is over", () => {
  test("is told how it ended at both of its servers, and so is the other player afterwards", () => {
    const { servers, match } = ended();
    for (const user of [ada, bob]) {
      for (const game of [servers.first, servers.second]) {
        const told = servers.get(user, { type: "look", waitMs: 0, after: unknown }, game);
        expect(told, game.name).toMatchObject({ answer: { view: { match, over: {} } } });
        expect(game.core?.holdings.get(match)).toBeDefined();
      }
    }
  });
});
