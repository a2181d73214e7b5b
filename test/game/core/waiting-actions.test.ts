import { describe, expect, test } from "vitest";
import type { GameMessage } from "../../../src/game/core/effects.ts";
import { ada, bob, decks, TwoServers } from "./two-servers.ts";

const ready = { type: "ready", cards: decks[ada] as readonly string[] } as const;

/** Each player plays a card of a round, the second player only once the first one's is proposed. */
function playBoth(servers: TwoServers, round = 0) {
  return [ada, bob].map((user) => {
    const told = servers.act(user, { type: "play", card: decks[user]?.[round] as string });
    servers.runFor(50);
    return told;
  });
}

describe("actions that come while the commit of another one is open", () => {
  const choose = { ...ready, cards: decks[bob] as readonly string[] };

  test("take effect although the one before them is rolled back", () => {
    const servers = new TwoServers();
    servers.begin();
    servers.loses = (message) => message.type === "checked" && message.round === 1;
    // Bob is at the host, and the shadow checks Bob's action when Ada's comes.
    const first = servers.act(bob, choose);
    servers.runFor(100);
    const told = [first, servers.act(ada, ready)];
    servers.runFor(6_000);
    expect(told.map(({ answered }) => answered)).toEqual([
      { refused: "unavailable" },
      { answer: { eventSeq: 1 } },
    ]);
    expect(servers.logs[0]).toEqual(servers.logs[1]);
  });

  test("are refused only by what is in the log, and not by what may be rolled back", () => {
    const servers = new TwoServers();
    servers.begin();
    servers.loses = ({ type }) => type === "checked";
    const told = [servers.act(ada, ready), servers.act(ada, ready)];
    servers.runFor(3_000);
    expect(told.map(({ answered }) => answered)).toEqual([undefined, undefined]);
    servers.loses = () => false;
    servers.runFor(1_000);
    expect(told.map(({ answered }) => answered)).toEqual([
      { answer: { eventSeq: 1 } },
      { refused: "already_ready" },
    ]);
  });
});

describe("two actions at once", () => {
  test("share a commit if the second one comes before the shadow has answered", () => {
    const servers = new TwoServers();
    servers.start();
    const before = servers.sent.length;
    const told = [bob, ada].map((user) => {
      return servers.act(user, { type: "play", card: decks[user]?.[0] as string });
    });
    servers.runFor(200);
    expect(told.map(({ answered }) => answered && "answer" in answered)).toEqual([true, true]);
    const types = servers.sent.slice(before).map(({ message }) => message.type);
    // Ada's server passes her play on, and hears what became of it.
    expect(types.filter((type) => type !== "asked" && type !== "answered")).toEqual([
      ...["propose", "ack", "propose", "ack", "check", "checked", "commit", "committed"],
    ]);
    expect(servers.logs[0]).toEqual(servers.logs[1]);
  });

  test("are both given up 5 s after the first one was proposed, if the shadow agrees to nothing", () => {
    const servers = new TwoServers();
    servers.begin();
    servers.loses = (message) => message.type === "ack" && message.round > 1;
    const told = [servers.act(bob, { ...ready, cards: decks[bob] as readonly string[] })];
    told.push(servers.act(ada, ready));
    servers.runFor(4_800);
    expect(told.map(({ answered }) => answered)).toEqual([undefined, undefined]);
    servers.runFor(400);
    const unavailable = { refused: "unavailable" };
    expect(told.map(({ answered }) => answered)).toEqual([unavailable, unavailable]);
    servers.loses = () => false;
    servers.runFor(200);
    expect(servers.logs[0]).toEqual(servers.logs[1]);
    expect(servers.shadow.shadow.isInDoubt).toBe(false);
  });

  test("need no whole log again, as long as no message is lost", () => {
    const servers = new TwoServers();
    servers.start();
    const before = servers.sent.length;
    for (let round = 0; round < 5; round += 1) {
      const told = [ada, bob].map((user) => {
        return servers.act(user, { type: "play", card: decks[user]?.[round] as string });
      });
      servers.runFor(100);
      expect(told.map(({ answered }) => answered && "answer" in answered)).toEqual([true, true]);
    }
    const types = servers.sent.slice(before).map(({ message }) => message.type);
    expect(types.filter((type) => type === "propose").length).toBeGreaterThan(5);
    expect(types).not.toContain("behind");
    expect(types).not.toContain("adopt");
  });

  test("get into the shadow's log in their order, although the first one's events are lost", () => {
    const servers = new TwoServers();
    servers.start();
    let lost = 0;
    servers.loses = ({ type }) => type === "commit" && lost++ === 0;
    const told = [ada, bob].map((user) => {
      return servers.act(user, { type: "play", card: decks[user]?.[0] as string });
    });
    servers.runFor(1_000);
    expect(told.map(({ answered }) => answered && "answer" in answered)).toEqual([true, true]);
    expect(servers.logs[0]).toEqual(servers.logs[1]);
    expect(servers.shadowGame.core?.figures.forged).toBe(0);
  });
});

describe("an action that waits for a proposal", () => {
  test("is given up after 5 s, and the player is told", () => {
    const servers = new TwoServers();
    servers.begin();
    const { hostGame, shadowGame, match, host } = servers;
    servers.loses = ({ type }) => type === "adopt" || type === "committed";
    const { term } = host.copy.term;
    servers.deliver(hostGame, shadowGame.name, { type: "behind", match, term });
    const told = servers.act(bob, { ...ready, cards: decks[bob] as readonly string[] });
    servers.runFor(4_900);
    expect(told.answered).toBeUndefined();
    servers.runFor(200);
    expect(told.answered).toEqual({ refused: "unavailable" });
    servers.loses = () => false;
    servers.runFor(1_000);
    expect(servers.logs.map(({ length }) => length)).toEqual([1, 1]);
  });
});

describe("an action that the rules refuse", () => {
  test("is refused only once both servers have on their disks what refuses it", () => {
    const servers = new TwoServers();
    servers.start();
    const { hostGame } = servers;
    servers.loses = ({ type }) => type === "commit";
    // Bob is at the host, and his action gets into no other log.
    servers.act(bob, { type: "giveUp" });
    servers.runFor(100);
    const told = servers.act(ada, { type: "play", card: decks[ada]?.[0] as string });
    servers.runFor(1_000);
    expect(servers.host.copy.state.over).toBeDefined();
    expect(told.answered).toBeUndefined();
    hostGame.kill();
    servers.loses = () => false;
    servers.runFor(5_000);
    expect(servers.host.copy.state.over).toBeUndefined();
    expect(told.answered).toEqual({ answer: { eventSeq: expect.any(Number) } });
  });

  test("is not refused by an action beside it in a proposal that may be rolled back", () => {
    const servers = new TwoServers();
    servers.start();
    const { hostGame, shadowGame, match, host } = servers;
    const { term } = host.copy.term;
    servers.loses = ({ type }) => type === "adopt" || type === "checked";
    // Until the host knows again what the shadow has, it proposes nothing.
    servers.deliver(hostGame, shadowGame.name, { type: "behind", match, term });
    servers.act(ada, { type: "giveUp" });
    servers.runFor(50);
    const told = servers.act(bob, { type: "play", card: decks[bob]?.[0] as string });
    servers.loses = ({ type }) => type === "checked";
    servers.runFor(2_000);
    expect(servers.shadow.shadow.isInDoubt).toBe(true);
    expect(told.answered).toBeUndefined();
  });

  test("takes effect after none whose clock is later, also if it must wait for the refusal", () => {
    const servers = new TwoServers();
    servers.start();
    servers.loses = ({ type }) => type === "checked";
    const [first, second] = decks[ada] as string[];
    const play = (user: typeof ada, card = "") => servers.act(user, { type: "play", card });
    const told = [play(ada, first)];
    servers.runFor(100);
    told.push(play(ada, second));
    servers.runFor(100);
    // The host has heard of Ada's second play, so the clock of Bob's is later.
    told.push(play(bob, decks[bob]?.[0]));
    servers.runFor(100);
    servers.loses = () => false;
    servers.runFor(1_000);
    expect(told.map(({ answered }) => answered)).toEqual([
      { answer: { eventSeq: 4 } },
      { refused: "already_played" },
      { answer: { eventSeq: 6 } },
    ]);
  });
});

describe("a host whose shadow dies while one action is proposed and another waits", () => {
  test("commits both in the next term, in their order, and before the old ones would be given up", () => {
    const servers = new TwoServers();
    servers.start();
    servers.loses = ({ type }) => type === "check";
    const [first] = playBoth(servers);
    servers.shadowGame.kill();
    servers.runFor(3_000);
    const { copy } = servers.host;
    expect(copy.term).toMatchObject({ term: 2, shadow: undefined });
    const types = copy.events.map(({ type, player }) => `${type} ${player ?? ""}`.trim());
    expect(types.slice(4)).toEqual([
      "FAILOVER",
      `CARD_PLAYED ${ada}`,
      `CARD_PLAYED ${bob}`,
      "ROUND_END",
    ]);
    // Ada's game server was the shadow.
    expect(first?.answered).toEqual({ refused: "unavailable" });
  });
});

describe("a shadow that has forgotten a proposal", () => {
  test("gets it again at once, and the host does not first give it up", () => {
    const servers = new TwoServers();
    servers.begin();
    const { hostGame, shadowGame } = servers;
    servers.loses = ({ type }) => type === "check";
    const told = servers.act(bob, { ...ready, cards: decks[bob] as readonly string[] });
    servers.runFor(50);
    shadowGame.kill();
    shadowGame.start();
    servers.loses = () => false;
    servers.runFor(1_000);
    expect(told.answered).toEqual({ answer: { eventSeq: 1 } });
    expect(servers.host.copy.term).toMatchObject({ term: 1, host: hostGame.name });
  });

  test("has the next one too, which had to wait", () => {
    const servers = new TwoServers();
    servers.start();
    servers.loses = ({ type }) => type === "check";
    const told = playBoth(servers);
    servers.loses = () => false;
    servers.shadowGame.kill();
    servers.shadowGame.start();
    servers.runFor(1_500);
    expect(told[1]?.answered).toEqual({ answer: { eventSeq: 6 } });
    expect(servers.logs[0]).toEqual(servers.logs[1]);
  });
});

describe("a server that asks for an action again while the disks are awaited", () => {
  test("is answered at most four times, however often it asks", () => {
    const servers = new TwoServers();
    servers.begin();
    servers.loses = ({ type }) => type === "committed";
    const told = servers.act(ada, ready);
    servers.runFor(9_000);
    const count = (wanted: string) => {
      return servers.sent.filter(({ message: { type } }) => type === wanted).length;
    };
    expect(count("asked")).toBeGreaterThan(6);
    const before = count("answered");
    servers.loses = () => false;
    servers.runFor(900);
    expect(told.answered).toEqual({ answer: { eventSeq: 1 } });
    expect(count("answered") - before).toBeLessThanOrEqual(4);
  });

  test("is told once that another server hosts the match now", () => {
    const servers = new TwoServers();
    servers.begin();
    const { hostGame } = servers;
    let asked = 0;
    // The host stops once it has put the action into its log, and is asked only once.
    servers.loses = ({ type }) => {
      if (type === "committed") hostGame.freeze();
      return type === "committed" || (type === "asked" && asked++ > 0);
    };
    const told = servers.act(ada, ready);
    servers.runFor(3_000);
    servers.loses = ({ type }) => type === "committed";
    hostGame.thaw();
    servers.runFor(500);
    const isWord = ({ message: { type } }: { message: GameMessage }) => type === "notHost";
    expect(servers.sent.filter(isWord)).toHaveLength(1);
    servers.loses = () => false;
    servers.runFor(3_000);
    expect(told.answered).toEqual({ answer: { eventSeq: 1 } });
  });
});
