import { describe, expect, test } from "vitest";
import {
  check,
  type Observations,
  type Seen,
  type Write,
} from "../../../src/trials/chaos/core/checker.ts";

const [one, two] = ["server_00000001", "server_00000002"];

function seen(message: string, clock: number, server = one): Seen {
  return { message, server, seq: clock, clock };
}

function written(message: string, clock: number, sentMs: number): Write {
  const acknowledged = { atMs: sentMs + 5, clock };
  return { message, client: "ana", conversations: ["#geral"], sentMs, acknowledged };
}

const history = [seen("a", 1), seen("b", 2, two), seen("c", 3)];

/** A run without violations: three messages, each acknowledged, reported, delivered and read. */
const sound: Observations = {
  servers: [one, two],
  writes: [written("a", 1, 0), written("b", 2, 10), written("c", 3, 20)],
  reads: [{ client: "ana", conversation: "#geral", askedMs: 30, entries: history, isWhole: true }],
  reports: [one, two].map((server) => ({ server, conversation: "#geral", entries: history })),
  deliveries: [{ subscriber: "bia", conversation: "#geral", entries: history }],
  files: [one, two].map((replica) => ({ replica, checksums: { "users.json": "1" } })),
  outages: [{ fromMs: 100, toMs: 200 }],
  claims: [],
  accounts: [],
  changes: [],
  changed: [],
};

function rulesBroken(change: Partial<Observations>): string[] {
  return [...new Set(check({ ...sound, ...change }).map(({ rule }) => rule))];
}

/** Replaces the history in every report, delivery and read. */
function everywhere(entries: readonly Seen[]): Partial<Observations> {
  return {
    reports: sound.reports.map((report) => ({ ...report, entries })),
    deliveries: sound.deliveries.map((delivery) => ({ ...delivery, entries })),
    reads: [],
  };
}

/** Empties the server list, the reads, the reports and the deliveries of a run. */
const untold = { servers: [], reads: [], reports: [], deliveries: [] };

const unanswered: Write = { message: "d", client: "ana", conversations: ["#geral"], sentMs: 25 };

describe("the checker of chaos runs", () => {
  test("the chaos checker finds no violation in a sound run", () => {
    expect(check(sound)).toEqual([]);
  });

  test("the chaos checker accepts a write without an answer, whether or not the write took effect", () => {
    const writes = [...sound.writes, unanswered];
    expect(rulesBroken({ writes })).toEqual([]);
    expect(rulesBroken({ writes, ...everywhere([...history, seen("d", 4)]) })).toEqual([]);
  });

  test("the chaos checker finds an acknowledged message that one server does not report", () => {
    const reports = [
      ...sound.reports.slice(0, 1),
      { server: two, conversation: "#geral", entries: history.slice(0, 2) },
    ];
    expect(check({ ...sound, reports })).toContainEqual({
      rule: "lost",
      detail: `c was acknowledged and is not in #geral through ${two}`,
    });
  });

  test("the chaos checker finds an acknowledged private message that is missing in one user's history", () => {
    const private1: Write = { ...written("p", 4, 25), conversations: ["@bia", "@ana"] };
    const tell = (conversation: string, entries: Seen[]) =>
      [one, two].map((server) => ({ server, conversation, entries }));
    const there = [seen("p", 4)];
    const writes = [...sound.writes, private1];
    const both = [...sound.reports, ...tell("@bia", there), ...tell("@ana", there)];
    expect(rulesBroken({ writes, reports: both })).toEqual([]);
    const half = [...sound.reports, ...tell("@bia", there), ...tell("@ana", [])];
    expect(rulesBroken({ writes, reports: half })).toEqual(["lost"]);
  });

  test("the chaos checker finds a message that is twice in a history, a delivery or a page", () => {
    const twice = [...history, seen("a", 4)];
    expect(rulesBroken(everywhere(twice))).toContain("doubled");
    const deliveries = [{ subscriber: "bia", conversation: "#geral", entries: twice }];
    expect(rulesBroken({ deliveries })).toEqual(["doubled"]);
    const reads = sound.reads.map((read) => ({ ...read, entries: twice }));
    expect(rulesBroken({ reads })).toEqual(["doubled"]);
  });

  test("the chaos checker finds a history with a message that was refused, or that no client sent to the conversation", () => {
    expect(rulesBroken(everywhere([...history, seen("x", 4)]))).toEqual(["neverAttempted"]);
    const elsewhere: Write = { ...unanswered, conversations: ["@bia", "@ana"] };
    const shown = everywhere([...history, seen("d", 4)]);
    expect(rulesBroken({ ...shown, writes: [...sound.writes, elsewhere] })).toContain(
      "neverAttempted",
    );
    const refused: Write = { ...unanswered, refused: "bad_request" };
    expect(rulesBroken({ ...shown, writes: [...sound.writes, refused] })).toContain(
      "neverAttempted",
    );
  });

  test("the chaos checker finds missing reports, and servers with different histories or files", () => {
    const other = [history[0], history[1], seen("c", 5)] as Seen[];
    const reports = [
      ...sound.reports.slice(0, 1),
      { server: two, conversation: "#geral", entries: other },
    ];
    expect(rulesBroken({ reports })).toEqual(["diverged"]);
    const files = (checksums: Record<string, string | undefined>) => [
      ...sound.files.slice(0, 1),
      { replica: two, checksums },
    ];
    expect(rulesBroken({ files: files({ "users.json": "2" }) })).toEqual(["diverged"]);
    expect(rulesBroken({ files: files({}) })).toEqual(["diverged"]);
    expect(rulesBroken({ files: files({ "users.json": "1", "more.json": "1" }) })).toEqual([
      "diverged",
    ]);
    expect(rulesBroken({ reports: sound.reports.slice(0, 1) })).toEqual(["diverged"]);
    expect(rulesBroken({ reports: [] })).toEqual(["diverged"]);
  });

  test("the chaos checker finds a history that is not in the total order", () => {
    const swapped = [history[1], history[0], history[2]] as Seen[];
    expect(rulesBroken(everywhere(swapped))).toEqual(["misordered"]);
    // If the clocks are equal, the server's name decides.
    const even = [seen("a", 1, two), seen("b", 1, one), seen("c", 3)];
    expect(rulesBroken({ ...everywhere(even), writes: sound.writes.slice(0, 1) })).toContain(
      "misordered",
    );
  });

  test("the chaos checker finds a subscriber that received one server's messages out of order", () => {
    const swapped = [history[2], history[0], history[1]] as Seen[];
    const deliveries = [{ subscriber: "bia", conversation: "#geral", entries: swapped }];
    expect(rulesBroken({ deliveries })).toEqual(["misordered"]);
    // Messages of different servers may arrive in any order.
    const mixed = [history[1], history[0], history[2]] as Seen[];
    expect(
      rulesBroken({ deliveries: [{ subscriber: "bia", conversation: "#geral", entries: mixed }] }),
    ).toEqual([]);
  });

  test("the chaos checker finds a write whose clock is not above the clock of its client's previously acknowledged write", () => {
    // c was sent after b had been acknowledged with clock 5.
    const writes = [written("a", 1, 0), written("b", 5, 10), written("c", 3, 20)];
    expect(rulesBroken({ ...untold, writes })).toEqual(["misordered"]);
    // Now c was sent before the answer to b came, so its clock may be lower than b's.
    const apart = [written("a", 1, 0), written("b", 5, 17), written("c", 3, 20)];
    expect(rulesBroken({ ...untold, writes: apart })).toEqual([]);
  });

  test("the chaos checker finds an unanswered write whose clock in the history is not above a clock its client had received", () => {
    const late: Write = { ...unanswered, sentMs: 40 };
    const entries = [seen("d", 0, two), ...history];
    expect(rulesBroken({ ...everywhere(entries), writes: [...sound.writes, late] })).toContain(
      "misordered",
    );
  });

  test("the chaos checker finds a subscriber that never received a message of the history", () => {
    const deliveries = [{ subscriber: "bia", conversation: "#geral", entries: history.slice(1) }];
    expect(rulesBroken({ deliveries })).toEqual(["unheard"]);
  });

  test("the chaos checker expects private messages to be delivered to the receiver, but not to the sender", () => {
    const private1: Write = { ...unanswered, conversations: ["@bia", "@ana"] };
    const reports = [one, two].flatMap((server) =>
      ["@bia", "@ana"].map((conversation) => ({ server, conversation, entries: [seen("d", 4)] })),
    );
    const heard = (subscriber: string, entries: Seen[]) => {
      return { subscriber, conversation: `@${subscriber}`, entries };
    };
    const deliveries = [heard("bia", [seen("d", 4)]), heard("ana", [])];
    expect(rulesBroken({ writes: [private1], reads: [], reports, deliveries })).toEqual([]);
    const deaf = [heard("bia", []), heard("ana", [])];
    expect(rulesBroken({ writes: [private1], reads: [], reports, deliveries: deaf })).toEqual([
      "unheard",
    ]);
  });

  test("the chaos checker finds a client that did not read its own acknowledged message", () => {
    const [read] = sound.reads;
    if (read === undefined) throw new Error("there is one");
    const entries = history.slice(0, 2);
    expect(rulesBroken({ reads: [{ ...read, entries }] })).toEqual(["stale"]);
    // A read need not show c if c is not yet acknowledged, or if c is another client's message.
    expect(rulesBroken({ reads: [{ ...read, entries, askedMs: 22 }] })).toEqual([]);
    expect(rulesBroken({ reads: [{ ...read, entries, client: "bia" }] })).toEqual([]);
  });

  test("the chaos checker allows a read of one page to lack the messages that are older than this page", () => {
    const [read] = sound.reads;
    if (read === undefined) throw new Error("there is one");
    const page = { ...read, entries: history.slice(2), isWhole: false };
    expect(rulesBroken({ reads: [page] })).toEqual([]);
    expect(rulesBroken({ reads: [{ ...page, isWhole: true }] })).toEqual(["stale"]);
  });

  test("the chaos checker finds a correct write that was refused", () => {
    const refused: Write = { ...unanswered, refused: "channel_not_found" };
    expect(rulesBroken({ writes: [...sound.writes, refused] })).toEqual(["stale"]);
  });

  test("the chaos checker finds a claim that was neither decided nor given up", () => {
    const claim = { name: "rosa", client: "eva", id: "1", beganMs: 0, answers: [] };
    expect(rulesBroken({ claims: [{ ...claim, isGivenUp: false }] })).toEqual(["undecided"]);
  });

  test("the chaos checker finds a write that was both sent and acknowledged while a majority was stopped", () => {
    const at = (sentMs: number) => rulesBroken({ ...untold, writes: [written("a", 1, sentMs)] });
    expect(at(150)).toEqual(["early"]);
    // A majority may have stored a write that was sent before the stop, or that was answered after
    // the stop.
    expect(at(99)).toEqual([]);
    expect(at(197)).toEqual([]);
  });
});
