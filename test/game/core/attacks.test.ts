import { describe, expect, test } from "vitest";
import type { MatchEvent } from "../../../src/game/core/match-event.ts";
import type { GameRequest } from "../../../src/protocol/game-requests.ts";
import type { UserName } from "../../../src/protocol/ids.ts";
import { ada, bob, decks, TwoServers } from "./two-servers.ts";

const look: GameRequest = { type: "look", waitMs: 0 };
const pass = { type: "pass" } as const;

/** Lets time pass while both players look. */
function waitFor(servers: TwoServers, seconds: number): void {
  for (let second = 0; second < seconds; second += 1) {
    servers.runFor(1_000);
    for (const user of [ada, bob]) servers.ask(user, look);
  }
}

describe("the deadline of a round", () => {
  test("holds although a player named timeOut has used the ids of the host's own operations", () => {
    const servers = new TwoServers();
    const rival = "timeOut" as UserName;
    servers.get(ada, { type: "enter", rules: "clash" });
    servers.runFor(300);
    servers.get(rival, { type: "enter", rules: "clash" }, servers.second);
    servers.runFor(500);
    const { match } = servers;
    for (const [user, game] of [
      [ada, servers.first],
      [rival, servers.second],
    ] as const) {
      const action = { type: "ready", cards: decks[user === ada ? ada : bob] ?? [] } as const;
      servers.get(user, { type: "act", id: "ready", match, action }, game);
    }
    for (let id = 1; id < 24; id += 1) {
      servers.get(rival, { type: "act", id: String(id), match, action: pass }, servers.second);
    }
    const before = servers.host.copy.length;
    for (let second = 0; second < 32; second += 1) {
      servers.runFor(1_000);
      servers.ask(ada, look);
      servers.ask(rival, look, servers.second);
    }
    const types = servers.host.copy.events.slice(before).map(({ type }) => type);
    expect(types).toContain("ROUND_END");
  });

  test("holds although somebody sets the clocks of all machines back by an hour", () => {
    const servers = new TwoServers();
    servers.start();
    const { world } = servers;
    const now = world.now.bind(world);
    world.now = (game) => ({ ...now(game), wallMs: now(game).wallMs - 3_600_000 });
    waitFor(servers, 32);
    expect(servers.host.copy.events.map(({ type }) => type)).toContain("ROUND_END");
  });
});

describe("an action that a player repeats after many others", () => {
  test("does not take effect again", () => {
    const servers = new TwoServers();
    servers.start("duel");
    const first = { type: "act", id: "once", match: servers.match, action: pass } as const;
    const passedBy = [ada, bob].find((user) => "answer" in servers.get(user, first)) as UserName;
    for (let turn = 0; turn < 40; turn += 1) {
      for (const user of [ada, bob]) servers.done(user, pass);
    }
    const { length } = servers.host.copy;
    expect(servers.get(passedBy, first)).toMatchObject({
      answer: { eventSeq: expect.any(Number) },
    });
    expect(servers.host.copy.length).toBe(length);
  });
});

describe("a log that the disk has changed", () => {
  test("counts as lost: the shadow goes on with its own copy", () => {
    const servers = new TwoServers();
    servers.start();
    const { match, hostGame, shadowGame } = servers;
    servers.runFor(100);
    const before = servers.shadow.copy.events;
    hostGame.kill();
    const events = structuredClone(hostGame.disk.get(match)) as MatchEvent[];
    const chosen = events.find(({ type }) => type === "DECK_CHOSEN") as unknown as {
      data: { cards: string[] };
    };
    chosen.data.cards[0] = "dragon-legendary-1";
    hostGame.disk.set(match, events);
    hostGame.start();
    servers.runFor(8_000);
    expect(hostGame.core?.figures.damaged).toBe(1);
    expect(servers.hostGame).toBe(shadowGame);
    expect(servers.host.copy.events.slice(0, before.length)).toEqual(before);
  });
});

describe("a match that is over", () => {
  test("does not hide the next one, which has begun at another server", () => {
    const servers = new TwoServers();
    servers.start();
    servers.done(ada, { type: "giveUp" });
    servers.runFor(1_000);
    const old = servers.match;
    // Ada and Eve meet at the second server; Ada still asks the first one.
    const eve = "eve" as UserName;
    for (const user of [ada, eve]) {
      servers.get(user, { type: "enter", rules: "clash" }, servers.second);
    }
    servers.runFor(1_000);
    const told = servers.get(ada, look, servers.first);
    expect(told).toMatchObject({ answer: { phase: "match", view: { eventSeq: 0 } } });
    expect(JSON.stringify(told)).not.toContain(old);
  });
});
