import { describe, expect, test } from "vitest";
import type { Waiting } from "../../../src/game/core/effects.ts";
import { Matchmaking } from "../../../src/game/core/matchmaking.ts";
import type { UserName } from "../../../src/protocol/ids.ts";
import type { GameName, MatchId } from "../../../src/protocol/matches.ts";
import { ada, bob, eve, TwoServers } from "./two-servers.ts";

const here = "game_00000001" as GameName;
const there = "game_00000002" as GameName;

function at(steadyMs: number) {
  return { steadyMs, wallMs: 0 };
}

function waiting(user: UserName, other: Partial<Waiting> = {}): Waiting {
  return { user, rating: 1_200, waitedMs: 0, rules: "clash", ...other };
}

/** A queue into which players came one after the other, one in each second. */
function queueOf(...players: Waiting[]): Matchmaking {
  const queue = new Matchmaking(here);
  for (const [second, player] of players.entries()) queue.add(player, at(second * 1_000));
  return queue;
}

function usersOf(queue: Matchmaking, steadyMs: number): readonly UserName[] | undefined {
  return queue.pair(at(steadyMs))?.players.map(({ user }) => user);
}

describe("matchmaking", () => {
  test("pairs first whoever has waited longest", () => {
    const queue = queueOf(waiting(eve), waiting(ada), waiting(bob));
    expect(usersOf(queue, 3_000)).toEqual([eve, ada]);
  });

  test("pairs a player of its own before one of another server who has waited longer", () => {
    const queue = queueOf(waiting(ada), waiting(bob));
    queue.hear(there, [waiting(eve, { waitedMs: 60_000 })], at(2_000));
    expect(usersOf(queue, 2_000)).toEqual([ada, bob]);
  });

  test("pairs a player with whoever has waited longest at the other servers", () => {
    const queue = queueOf(waiting(ada));
    queue.hear(there, [waiting(bob, { waitedMs: 10 }), waiting(eve, { waitedMs: 20 })], at(0));
    const pair = queue.pair(at(0));
    expect(pair?.players).toEqual([
      { user: ada, game: here },
      { user: eve, game: there },
    ]);
  });

  test("pairs nobody by different rules", () => {
    const queue = queueOf(waiting(ada), waiting(bob, { rules: "duel" }));
    expect(usersOf(queue, 60_000)).toBeUndefined();
  });

  test("lets the ratings of a pair differ by 100, and by 20 more for each second of waiting", () => {
    const queue = queueOf(waiting(ada, { rating: 1_200 }), waiting(bob, { rating: 1_400 }));
    expect(usersOf(queue, 4_999)).toBeUndefined();
    expect(usersOf(queue, 5_000)).toEqual([ada, bob]);
  });

  test("pairs a player with the next one if the one before is too far away in rating", () => {
    const queue = queueOf(
      waiting(ada, { rating: 1_200 }),
      waiting(bob, { rating: 2_000 }),
      waiting(eve, { rating: 1_210 }),
    );
    expect(usersOf(queue, 2_000)).toEqual([ada, eve]);
  });

  test("forgets what a server has told that is silent for more than 1.5 s", () => {
    const queue = queueOf(waiting(ada));
    queue.hear(there, [waiting(bob)], at(0));
    expect(usersOf(queue, 1_500)).toEqual([ada, bob]);
    expect(usersOf(queue, 1_501)).toBeUndefined();
  });

  test("neither pairs nor tells a player who is reserved for a match, until they are released", () => {
    const queue = queueOf(waiting(ada), waiting(bob));
    const match = "0123456789abcdef" as MatchId;
    expect(queue.reserve(ada, match, at(1_000))).toBe(true);
    expect(usersOf(queue, 1_000)).toBeUndefined();
    expect(queue.told(at(1_000)).map(({ user }) => user)).toEqual([bob]);
    queue.release(ada, match);
    expect(usersOf(queue, 1_000)).toEqual([ada, bob]);
  });

  test("forgets a player who has not asked for 30 s, and keeps the place of one who has", () => {
    const queue = queueOf(waiting(ada), waiting(bob));
    queue.hearOf(bob, at(20_000));
    queue.forgetGone(at(30_000));
    expect(queue.told(at(30_000))).toEqual([waiting(bob, { waitedMs: 29_000 })]);
  });
});

describe("two servers that want to begin matches", () => {
  test("seat two players who enter at both servers in one instant, within 3 s", () => {
    const servers = new TwoServers();
    for (const user of [ada, bob]) servers.ask(user, { type: "enter", rules: "clash" });
    servers.runFor(3_000);
    expect(servers.world.arbiter.matches.opened()).toHaveLength(1);
    expect(servers.host.copy.state.players.map(({ user }) => user).toSorted()).toEqual([ada, bob]);
  });

  test("begin a match only when the first event is on the disk of both", () => {
    const servers = new TwoServers();
    servers.world.syncMs = 0;
    servers.get(ada, { type: "enter", rules: "clash" });
    servers.runFor(300);
    servers.world.syncMs = 2_000;
    servers.get(bob, { type: "enter", rules: "clash" });
    const { time, arbiter } = servers.world;
    time.runUntil(() => arbiter.matches.opened().length === 1, "the match begins");
    for (const { disk } of servers.world.games) expect(disk.size).toBe(1);
  });

  test("do not begin a match by a repeated invitation whose event is not on disk yet", () => {
    const servers = new TwoServers();
    servers.get(ada, { type: "enter", rules: "clash" });
    servers.runFor(300);
    servers.world.syncMs = 100_000;
    servers.get(bob, { type: "enter", rules: "clash" });
    const { time } = servers.world;
    const invitation = () => servers.sent.find(({ message }) => message.type === "invite");
    time.runUntil(() => invitation() !== undefined, "an invitation");
    servers.runFor(20);
    const { from, to, message } = invitation() as NonNullable<ReturnType<typeof invitation>>;
    expect(servers.deliver(servers.world.game(to), from, message)).toEqual([]);
  });
});
