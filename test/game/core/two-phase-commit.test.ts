import { describe, expect, test } from "vitest";
import type { GameMessage } from "../../../src/game/core/effects.ts";
import { ada, bob, decks, TwoServers } from "./two-servers.ts";

const phases = ["propose", "ack", "check", "checked", "commit", "committed"] as const;
const ready = { type: "ready", cards: decks[ada] as readonly string[] } as const;

/** Checks that both servers have one log, and that the player was told what is in it. */
function expectOneOutcome(servers: TwoServers, isDone: boolean): void {
  const { host, shadow, logs } = servers;
  expect(logs[0]).toEqual(logs[1]);
  expect(shadow.shadow.isInDoubt).toBe(false);
  expect(host.hosting?.agreed?.length).toBe(host.copy.length);
  expect(host.copy.state.decks[1] !== undefined).toBe(isDone);
}

describe("a commit whose messages are lost", () => {
  test.each(phases)(
    "if one %s is lost, it is sent again, and the player is told that the action took effect",
    (phase) => {
      const servers = new TwoServers();
      servers.begin();
      let lost = 0;
      servers.loses = ({ type }) => type === phase && lost++ === 0;
      const told = servers.act(ada, ready);
      servers.runFor(1_000);
      expect(lost).toBeGreaterThan(0);
      expect(told.answered).toEqual({ answer: { eventSeq: 1 } });
      expectOneOutcome(servers, true);
    },
  );

  test.each(["propose", "ack", "check", "checked"] as const)(
    "if each %s is lost for 5 s, both servers drop the action within 6 s, and the player is told",
    (phase) => {
      const servers = new TwoServers();
      servers.begin();
      servers.loses = ({ type }) => type === phase;
      const told = servers.act(ada, ready);
      servers.runFor(5_900);
      expect(told.answered).toEqual({ refused: "unavailable" });
      servers.loses = () => false;
      servers.runFor(100);
      expectOneOutcome(servers, false);
    },
  );

  test.each(["commit", "committed"] as const)(
    "if each %s is lost for 5 s, both servers have the action within 6 s, and the player is told",
    (phase) => {
      const servers = new TwoServers();
      servers.begin();
      servers.loses = ({ type }) => type === phase;
      const told = servers.act(ada, ready);
      servers.runFor(5_200);
      expect(told.answered).toBeUndefined();
      expect(servers.sent.map(({ message }) => message.type)).not.toContain("rollback");
      servers.loses = () => false;
      servers.runFor(1_000);
      expect(told.answered).toEqual({ answer: { eventSeq: 1 } });
      expectOneOutcome(servers, true);
    },
  );

  test("if also the rollback is lost, the shadow is in doubt for at most 6 s", () => {
    const servers = new TwoServers();
    servers.begin();
    servers.loses = ({ type }) => type === "checked" || type === "rollback";
    servers.act(ada, ready);
    servers.runFor(5_500);
    expect(servers.sent.map(({ message }) => message.type)).toContain("rollback");
    servers.runFor(5_500);
    expectOneOutcome(servers, false);
  });

  test("a player whose action was dropped may send it again, and it takes effect once", () => {
    const servers = new TwoServers();
    servers.begin();
    servers.loses = ({ type }) => type === "checked";
    const first = servers.act(ada, ready, "again");
    servers.runFor(5_500);
    expect(first.answered).toEqual({ refused: "unavailable" });
    servers.loses = () => false;
    const second = servers.act(ada, ready, "again");
    const third = servers.act(ada, ready, "again");
    servers.runFor(1_000);
    expect([second.answered, third.answered]).toEqual(Array(2).fill({ answer: { eventSeq: 1 } }));
    expectOneOutcome(servers, true);
  });
});

describe("plays of both players in one instant", () => {
  test("have one order at both servers, in 1,000 rounds", { timeout: 60_000 }, () => {
    for (let match = 0; match < 200; match += 1) {
      const servers = new TwoServers();
      servers.start();
      // What else happens at that instant differs from match to match.
      servers.runFor(match);
      for (let round = 0; round < 5; round += 1) {
        const told = [ada, bob].map((user) => {
          return servers.act(user, { type: "play", card: decks[user]?.[round] as string });
        });
        servers.world.time.runUntil(
          () => told.every(({ answered }) => answered !== undefined),
          "both are answered",
        );
        expect(told.every(({ answered }) => answered && "answer" in answered)).toBe(true);
        servers.runFor(20);
        expect(servers.logs[0]).toEqual(servers.logs[1]);
      }
    }
  });
});

describe("an action that a player sends to two servers with one id", () => {
  test("takes effect once, and both servers tell it at once", () => {
    const servers = new TwoServers();
    servers.begin();
    const request = { type: "act", id: "one", match: servers.match, action: ready } as const;
    const told = [servers.first, servers.second].map((game) => servers.ask(ada, request, game));
    servers.runFor(500);
    expect(told.map(({ answered }) => answered)).toEqual(
      Array(2).fill({ answer: { eventSeq: 1 } }),
    );
    expect(servers.host.copy.length).toBe(2);
  });

  test("does not take effect later if it was refused", () => {
    const servers = new TwoServers();
    servers.begin();
    const play = { type: "play", card: "dragon-common-1" } as const;
    const request = { type: "act", id: "early", match: servers.match, action: play } as const;
    expect(servers.get(ada, request, servers.first)).toEqual({ refused: "not_started" });
    servers.done(ada, ready);
    servers.done(bob, { type: "ready", cards: decks[bob] as readonly string[] });
    const before = servers.logs;
    expect(servers.get(ada, request, servers.second)).toEqual({ refused: "not_started" });
    expect(servers.logs).toEqual(before);
  });
});

describe("a host that dies during a commit", () => {
  test.each(phases)(
    "if it dies while each %s is lost, the action takes effect once under the next host",
    (phase) => {
      const servers = new TwoServers();
      servers.begin();
      const { hostGame } = servers;
      const isLost = ({ type }: GameMessage) => type === phase;
      servers.loses = isLost;
      const told = servers.act(ada, ready);
      servers.runFor(200);
      hostGame.kill();
      servers.loses = () => false;
      servers.runFor(1_000);
      hostGame.start();
      servers.runFor(9_000);
      expect(told.answered).toEqual({ answer: { eventSeq: expect.any(Number) } });
      expectOneOutcome(servers, true);
    },
  );
});
