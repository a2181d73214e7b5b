import { describe, expect, test, vi } from "vitest";
import type { GameRequest } from "../../../src/protocol/game-requests.ts";
import type { GameName } from "../../../src/protocol/matches.ts";
import { ada, bob, decks, TwoServers } from "./two-servers.ts";

const look: GameRequest = { type: "look", waitMs: 0 };
const ready = (user: string) => ({ type: "ready", cards: decks[user] ?? [] }) as const;

describe("the seat of a player who is gone", () => {
  test("is held for 60 s; then the other player has won, and the cluster decides it", () => {
    const servers = new TwoServers();
    servers.start();
    const { match } = servers;
    for (let second = 0; second < 59; second += 1) {
      servers.runFor(1_000);
      servers.get(bob, look);
    }
    expect(servers.world.arbiter.matches.open(match)).toBeDefined();
    servers.runFor(2_000);
    const types = servers.host.copy.events.map(({ type }) => type);
    expect(types.slice(-2)).toEqual(["GAVE_UP", "MATCH_END"]);
    const ended = servers.world.arbiter.matches.ended(match);
    expect(ended).toMatchObject({ winner: bob });
    expect(ended?.isVoid).toBeUndefined();
  });

  test("is kept by a look before the 60 s are over, which shows how the match stands", () => {
    const servers = new TwoServers();
    servers.start();
    for (let round = 0; round < 3; round += 1) {
      servers.runFor(50_000);
      for (const user of [ada, bob]) {
        expect(servers.get(user, look)).toMatchObject({ answer: { phase: "match" } });
      }
    }
    expect(servers.host.copy.events.map(({ type }) => type)).not.toContain("GAVE_UP");
  });
});

describe("the time to choose cards", () => {
  test("is 120 s; then the match is void, and both players are free", () => {
    const servers = new TwoServers();
    servers.begin();
    const { match } = servers;
    servers.done(ada, ready(ada));
    for (let second = 0; second < 119; second += 1) {
      servers.runFor(1_000);
      for (const user of [ada, bob]) servers.ask(user, look);
    }
    expect(servers.world.arbiter.matches.open(match)).toBeDefined();
    servers.runFor(2_000);
    expect(servers.world.arbiter.matches.ended(match)).toMatchObject({
      isVoid: true,
      ratings: [1_200, 1_200],
    });
    const again = { type: "enter", rules: "duel" } as const;
    expect(servers.get(ada, again)).toMatchObject({ answer: { phase: "waiting" } });
  });
});

describe("a match that an administrator ends", () => {
  test("leaves both servers within 6 s, and its players are free", () => {
    const servers = new TwoServers();
    servers.start();
    const { match, world } = servers;
    world.arbiter.endMatch(match, world.time.nowMs);
    servers.runFor(6_000);
    for (const { core } of world.games) expect([...(core?.holdings ?? [])]).toEqual([]);
    expect(servers.get(ada, look)).toEqual({ answer: { phase: "idle" } });
  });

  test("is not written to the disk any more, whatever its host still does", () => {
    const servers = new TwoServers();
    servers.start();
    const { match, world } = servers;
    servers.loses = ({ type }) => type === "checked";
    servers.act(ada, { type: "play", card: "dragon-common-1" });
    servers.runFor(100);
    world.arbiter.endMatch(match, world.time.nowMs);
    servers.loses = () => false;
    servers.runFor(6_000);
    for (const { disk } of world.games) expect(disk.has(match)).toBe(false);
  });
});

describe("a host that was stopped, and has been replaced", () => {
  test("does not end the match, although an end that it alone has gets onto its disk", () => {
    const servers = new TwoServers();
    servers.start();
    const { match, hostGame, shadowGame, world } = servers;
    servers.loses = ({ type }, from) => {
      if (type === "checked") hostGame.freeze();
      // The next host does not hear that Bob gives up.
      return type === "asked" && from === hostGame.name;
    };
    servers.act(bob, { type: "giveUp" });
    servers.runFor(3_000);
    expect(servers.world.arbiter.matches.open(match)?.host).toBe(shadowGame.name);
    servers.loses = ({ type }, from) => type === "asked" && from === hostGame.name;
    hostGame.thaw();
    servers.runFor(1_000);
    expect(world.arbiter.matches.ended(match)).toBeUndefined();
    expect(servers.host.copy.state.over).toBeUndefined();
  });
});

describe("a host that was stopped, and wakes up with requests of players", () => {
  test("refuses nothing that the next host has taken", () => {
    const servers = new TwoServers(3);
    servers.start();
    const { hostGame, shadowGame } = servers;
    const [user, card] =
      hostGame === servers.first ? [bob, "wolf-common-1"] : [ada, "dragon-common-1"];
    hostGame.freeze();
    const told = servers.act(user, { type: "play", card });
    const asked = servers.sent.findLast(({ message }) => message.type === "asked")?.message;
    servers.loses = ({ type }) => type === "ack";
    servers.runFor(3_000);
    expect(servers.world.arbiter.matches.open(servers.match)?.host).toBe(shadowGame.name);
    const { number } = asked as { number: number };
    const refusal = { type: "answered", number, answered: { refused: "not_your_turn" } } as const;
    servers.deliver(shadowGame, hostGame.name, refusal);
    servers.runFor(10);
    expect(told.answered).toBeUndefined();
    servers.loses = () => false;
    servers.runFor(1_000);
    expect(told.answered).toMatchObject({ answer: { eventSeq: expect.any(Number) } });
  });
});

describe("a host that asks for the end of a match in a term that has passed", () => {
  test("does not ask again before it knows another term", () => {
    const servers = new TwoServers();
    servers.start();
    const { match, hostGame, world } = servers;
    const { arbiter, time } = world;
    world.severed.add(hostGame);
    servers.done(bob, { type: "giveUp" });
    hostGame.freeze();
    time.runUntil(() => arbiter.matches.open(match)?.term === 2, "the shadow hosts the match");
    servers.loses = () => true;
    const asked = vi.spyOn(arbiter, "decide");
    world.severed.clear();
    hostGame.thaw();
    servers.runFor(1_000);
    const own = asked.mock.calls.filter(([game]) => game === hostGame.name);
    expect(own.map(([, { service }]) => service)).toEqual(["matchEnd"]);
  });
});

describe("a list of matches that was asked for before the present term", () => {
  test("does not make a shadow forget a log that it has just got", () => {
    const servers = new TwoServers();
    servers.start();
    const { match, hostGame, world } = servers;
    const { time, arbiter } = world;
    const before = arbiter.list(hostGame.name);
    vi.spyOn(arbiter, "list").mockReturnValue(before);
    servers.loses = ({ type }) => type === "stale";
    hostGame.freeze();
    // Longer than two questions for the matches are apart, so that the server asks when it goes on.
    servers.runFor(6_000);
    hostGame.thaw();
    const term = () => hostGame.core?.holdings.get(match)?.copy.term;
    time.runUntil(() => term()?.shadow === hostGame.name, "the former host is the shadow");
    time.runUntil(() => servers.host.hosting?.agreed?.length === 6, "both have the same log");
    hostGame.take({ type: "listed", matches: [] });
    servers.runFor(100);
    expect(hostGame.disk.get(match)).toHaveLength(6);
  });
});

describe("a game server that does not know a match", () => {
  test("takes no log before the cluster has told the match's term", () => {
    const servers = new TwoServers();
    servers.start();
    const { match, shadowGame, world } = servers;
    shadowGame.kill();
    shadowGame.disk.clear();
    world.decides = false;
    shadowGame.start();
    servers.act(bob, { type: "play", card: decks[bob]?.[0] as string });
    servers.runFor(1_000);
    expect(servers.sent.at(-1)).toMatchObject({ to: shadowGame.name, message: { type: "adopt" } });
    expect(shadowGame.disk.get(match)).toBeUndefined();
    world.decides = true;
    servers.runFor(1_000);
    expect(servers.logs[0]).toEqual(servers.logs[1]);
  });

  test("takes no log of a term that has passed, although it was the shadow, and has dropped its copy", () => {
    const servers = new TwoServers(4);
    servers.start();
    const { match, hostGame, shadowGame, world } = servers;
    const { time, arbiter } = world;
    const open = () => arbiter.matches.open(match);
    servers.loses = ({ type }, _, to) => type === "stale" && to === hostGame.name;
    hostGame.freeze();
    time.runUntil(() => open()?.term === 2, "the shadow hosts the match");
    servers.runFor(300);
    shadowGame.freeze();
    time.runUntil(() => open()?.term === 3, "a third server hosts the match");
    servers.runFor(150);
    shadowGame.thaw();
    servers.runFor(100);
    expect(shadowGame.core?.holdings.get(match)).toBeUndefined();
    // The first host goes on in its term, and does not reach the cluster.
    world.severed.add(hostGame);
    hostGame.thaw();
    const told = servers.act(bob, { type: "giveUp" });
    servers.runFor(3_000);
    expect(told.answered).toBeUndefined();
    servers.loses = () => false;
    world.severed.clear();
    time.runUntil(() => told.answered !== undefined, "the present host is asked", 20_000);
    const events = world.game(open()?.host as GameName).core?.holdings.get(match)?.copy.events;
    expect(told.answered).toEqual({
      answer: { eventSeq: events?.find(({ type }) => type === "MATCH_END")?.eventSeq },
    });
  });
});

describe("a late copy of the log of a match that is over", () => {
  test("takes no player out of the queue, and writes nothing", () => {
    const servers = new TwoServers();
    servers.start();
    const adopt = servers.sent.find(({ message }) => message.type === "adopt");
    servers.done(ada, { type: "giveUp" });
    servers.runFor(500);
    servers.get(ada, { type: "enter", rules: "duel" });
    const { records } = servers.first;
    if (adopt === undefined) throw new Error("no log was sent");
    servers.deliver(servers.world.game(adopt.to), adopt.from, adopt.message);
    servers.runFor(500);
    expect(servers.first.records).toBe(records);
    expect(servers.get(ada, look)).toMatchObject({ answer: { phase: "waiting" } });
  });
});

describe("a player whose match is over, and whose host is gone", () => {
  test("is told within 5 s that they sit in no match", () => {
    const servers = new TwoServers();
    servers.start();
    servers.done(ada, { type: "giveUp" });
    servers.runFor(500);
    servers.second.kill();
    const told = servers.ask(ada, look);
    servers.runFor(5_000);
    expect(told.answered).toEqual({ answer: { phase: "idle" } });
  });
});

describe("a game server that has restarted", () => {
  test("does not take an answer to its former process for one to a new request", () => {
    const servers = new TwoServers();
    servers.start();
    const isAnswer = (type: string) => type === "answered";
    const of = servers.sent.findLast(({ message }) => message.type === "asked");
    servers.first.kill();
    servers.runFor(50);
    servers.first.start();
    servers.loses = ({ type }) => isAnswer(type);
    const told = Array.from({ length: 20 }, () => servers.ask(ada, look));
    const [from, answer] = [servers.second.name, { answer: { eventSeq: 99 } }];
    for (let number = 1; number <= 20; number += 1) {
      servers.deliver(servers.first, from, { type: "answered", number, answered: answer });
    }
    if (of?.message.type !== "asked") throw new Error("nothing was asked");
    const { number } = of.message;
    servers.deliver(servers.first, from, { type: "answered", number, answered: answer });
    servers.runFor(100);
    expect(told.map(({ answered }) => answered)).not.toContainEqual(answer);
  });
});
