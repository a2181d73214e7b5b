import { describe, expect, test } from "vitest";
import { type Diagram, diagramOf } from "../../src/client/core/trace/diagram.ts";
import type { ServerSteps, Trace } from "../../src/protocol/steps.ts";
import { ada, bob, decks } from "./core/two-servers.ts";
import { RecordedServers, sentIn } from "./recorded-servers.ts";

const ready = { type: "ready", cards: decks[ada] as readonly string[] } as const;

/** Ada chooses her cards; her server is the shadow of the match. */
function chosen(servers: RecordedServers, forMs = 1_000): unknown {
  servers.begin();
  expect(servers.shadowGame).toBe(servers.first);
  const told = servers.act(ada, ready, "her-choice");
  servers.runFor(forMs);
  return told.answered;
}

/** The trace that the game servers put together. */
function traced(servers: RecordedServers, of: string): Trace {
  const all = [...servers.memories].map(([name, memory]) => ({ name, ...memory.recall(of) }));
  const match = all.find((one) => one.match)?.match;
  const told = all.map(({ name, steps }): ServerSteps => ({ name, offsetMs: null, steps }));
  return { event: undefined, match, servers: told, silent: [] };
}

/** Each message of the diagram, as the kinds of its two steps. */
function arrowsOf({ arrows }: Diagram): string[] {
  return arrows.map(({ from, to }) => `${from?.kind} → ${to.kind}`);
}

describe("the steps of an action", () => {
  test("[O68] an action has the steps of both phases at the player's game server, which is the shadow, and at the host", () => {
    const servers = new RecordedServers();
    expect(chosen(servers)).toEqual({ answer: { eventSeq: 1 } });
    const { hostGame, shadowGame } = servers;
    expect(servers.kinds(shadowGame, "her-choice")).toEqual([
      ...["asked", "forwarded", "prepared", "checked", "copied", "synced", "acknowledged"],
      ...["learned", "replied"],
    ]);
    const host = servers.kinds(hostGame, "her-choice");
    expect(host.filter((kind) => kind !== "synced")).toEqual([
      ...["taken", "proposed", "agreed", "made", "heard", "told"],
    ]);
    expect(host.indexOf("synced")).toBeGreaterThan(host.indexOf("made"));
    expect(host.indexOf("synced")).toBeLessThan(host.indexOf("told"));
    for (const { round, kind } of servers.steps(hostGame, "her-choice")) {
      expect(round).toBe(["taken", "told"].includes(kind) ? undefined : 1);
    }
  });

  test("[O68] an action at the host itself is not passed on, and its player is told by the host", () => {
    const servers = new RecordedServers();
    servers.begin();
    servers.act(bob, { type: "ready", cards: decks[bob] as readonly string[] }, "his-choice");
    servers.runFor(1_000);
    const host = servers.kinds(servers.hostGame, "his-choice");
    expect(host.filter((kind) => kind !== "synced")).toEqual([
      ...["asked", "proposed", "agreed", "made", "heard", "replied"],
    ]);
    expect(servers.kinds(servers.shadowGame, "his-choice")).toEqual([
      ...["prepared", "checked", "copied", "synced", "acknowledged"],
    ]);
  });

  test("[O68] a host without a shadow makes an action's events at once, and tells them when they are on its disk", () => {
    const servers = new RecordedServers();
    for (const user of [ada, bob])
      servers.ask(user, { type: "enter", rules: "clash" }, servers.first);
    servers.runFor(2_000);
    servers.ask(ada, { type: "act", id: "alone", match: servers.match, action: ready });
    servers.runFor(500);
    expect(servers.kinds(servers.first, "alone")).toEqual(["asked", "made", "synced", "replied"]);
    expect(servers.kinds(servers.second, "alone")).toEqual([]);
  });

  test("[O68] the steps of an action that the rules refuse tell the reason, and that nothing was proposed", () => {
    const servers = new RecordedServers();
    servers.begin();
    servers.act(ada, { type: "play", card: "dragon-common-1" }, "early");
    servers.runFor(500);
    const reason = "not_started";
    expect(servers.steps(servers.shadowGame, "early")).toMatchObject([
      { kind: "asked" },
      { kind: "forwarded" },
      { kind: "learned", reason },
      { kind: "replied", reason },
    ]);
    expect(servers.steps(servers.hostGame, "early")).toMatchObject([
      { kind: "taken" },
      { kind: "told", reason },
    ]);
  });

  test.each(["ack", "checked"] as const)(
    "[O68] if the shadow refuses by its %s, the steps tell its reason, and that host and shadow gave the proposal up",
    (type) => {
      const servers = new RecordedServers();
      servers.change = (effect) => {
        const message = sentIn(effect);
        if (effect.type !== "send" || message?.type !== type) return effect;
        return { ...effect, message: { ...message, refused: "card_not_in_hand" } };
      };
      expect(chosen(servers)).toEqual({ refused: "unavailable" });
      const reason = "card_not_in_hand";
      const before = type === "ack" ? [] : [{ kind: "prepared" }];
      expect(servers.steps(servers.shadowGame, "her-choice")).toMatchObject([
        ...[{ kind: "asked" }, { kind: "forwarded" }, ...before, { kind: "refused", reason }],
        { kind: "dropped" },
        { kind: "learned", reason: "unavailable" },
        { kind: "replied", reason: "unavailable" },
      ]);
      const host = servers.steps(servers.hostGame, "her-choice");
      expect(host.map(({ kind }) => kind)).toEqual([
        ...["taken", "proposed", ...(type === "ack" ? [] : ["agreed"]), "rolledBack", "told"],
      ]);
      expect(host.find(({ kind }) => kind === "rolledBack")).toMatchObject({
        reason,
        peer: servers.shadowGame.name,
      });
      const diagram = diagramOf(traced(servers, "her-choice"));
      const source = type === "ack" ? "proposed" : "agreed";
      expect(arrowsOf(diagram)).toEqual(
        expect.arrayContaining([
          ...[`${source} → refused`, "refused → rolledBack", "rolledBack → dropped"],
        ]),
      );
    },
  );

  test("[O68] a proposal that is sent again and again has one step, and its rollback tells no reason of the shadow", () => {
    const servers = new RecordedServers();
    servers.loses = ({ type }) => type === "ack";
    expect(chosen(servers, 5_900)).toEqual({ refused: "unavailable" });
    const sent = servers.sent.filter(({ message }) => message.type === "propose");
    expect(sent.length).toBeGreaterThan(10);
    const host = servers.steps(servers.hostGame, "her-choice");
    expect(host.map(({ kind }) => kind)).toEqual(["taken", "proposed", "rolledBack", "told"]);
    expect(host.find(({ kind }) => kind === "rolledBack")?.reason).toBeUndefined();
    expect(servers.kinds(servers.shadowGame, "her-choice")).toEqual([
      ...["asked", "forwarded", "prepared", "dropped", "learned", "replied"],
    ]);
  });

  test("[O68] after a failover, the steps show that the request went on to the next host, and when", () => {
    const servers = new RecordedServers();
    servers.begin();
    const { hostGame, shadowGame } = servers;
    servers.loses = ({ type }) => type === "commit";
    servers.act(ada, ready, "her-choice");
    servers.runFor(200);
    hostGame.kill();
    servers.loses = () => false;
    servers.runFor(9_000);
    const kinds = servers.kinds(shadowGame, "her-choice");
    expect(kinds.slice(0, 4)).toEqual(["asked", "forwarded", "prepared", "checked"]);
    expect(kinds.slice(-3)).toEqual(["made", "synced", "replied"]);
  });

  test("[O68] two actions in one proposal have its steps in common", () => {
    const servers = new RecordedServers();
    servers.begin();
    const [match, to] = [servers.match, servers.shadowGame.name];
    const operations = ["ada/a", "bob/b"].map((id) => {
      return { id, origin: to, stamp: {}, action: { type: "timeOut" } } as const;
    });
    const of = { match, term: 9, round: 5 };
    const propose = { ...of, type: "propose", base: 1, timeMs: 0, operations } as const;
    for (const message of [propose, { ...of, type: "check" } as const]) {
      servers.recorder(servers.hostGame).note({
        input: { type: "tick" },
        effects: [{ type: "send", to, message }],
        now: servers.world.now(servers.hostGame),
      });
    }
    const [first, second] = ["a", "b"].map((id) => servers.steps(servers.hostGame, id));
    expect(first).toMatchObject([
      { kind: "proposed", round: 5, peer: to },
      { kind: "agreed", round: 5, peer: to },
    ]);
    expect(second).toEqual(first);
    expect(servers.steps(servers.hostGame, match).at(-1)?.operations).toEqual(["ada/a", "bob/b"]);
  });
});

/** A match of some rounds, in which both players play at once. */
function played(): RecordedServers {
  const servers = new RecordedServers();
  servers.start();
  for (let round = 0; round < 3; round += 1) {
    for (const user of [ada, bob]) {
      servers.act(user, { type: "play", card: decks[user]?.[round] as string }, `${user}-${round}`);
    }
    servers.runFor(500);
  }
  return servers;
}

describe("the clocks of steps", () => {
  test("[O68] Lamport clocks rise with each step, and are above the clock of the message that led to it", () => {
    const servers = played();
    const all = traced(servers, servers.match).servers;
    expect(all.map(({ steps }) => steps.length)).toEqual([expect.any(Number), expect.any(Number)]);
    for (const { steps } of all) {
      expect(steps.length).toBeGreaterThan(40);
      const clocks = steps.map(({ clock }) => clock);
      expect(clocks).toEqual([...new Set(clocks)].sort((a, b) => a - b));
      for (const { clock, sentClock = -1 } of steps) expect(sentClock).toBeLessThan(clock);
      const times = steps.map(({ atMs }) => atMs);
      expect(times).toEqual([...times].sort((a, b) => a - b));
    }
  });

  test("[O68] in the diagram of an action each message leads from the step that sent it to the step that it caused", () => {
    const servers = played();
    for (const id of ["ada-0", "ada-1", "ada-2"]) {
      expect(arrowsOf(diagramOf(traced(servers, id))).sort()).toEqual([
        ...["acknowledged → heard", "agreed → checked", "checked → made", "forwarded → taken"],
        ...["made → copied", "prepared → agreed", "proposed → prepared", "requested → asked"],
        "told → learned",
      ]);
    }
  });

  test("[O68] in the diagram of a whole match the steps of each proposal are linked with each other, and no client is shown", () => {
    const servers = played();
    const { lines, arrows } = diagramOf(traced(servers, servers.match));
    expect(lines.map(({ server }) => server)).toEqual([...servers.memories.keys()]);
    const ofRounds = arrows.filter(({ to }) => to.round !== undefined);
    expect(ofRounds.length).toBeGreaterThan(20);
    for (const { from, to } of ofRounds) expect(from?.round).toBe(to.round);
  });
});
