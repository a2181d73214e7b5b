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

/** Three messages, each acknowledged, told by both servers, heard and read: nothing wrong. */
const sound: Observations = {
  servers: [one, two],
  writes: [written("a", 1, 0), written("b", 2, 10), written("c", 3, 20)],
  readings: [
    { client: "ana", conversation: "#geral", askedMs: 30, entries: history, isWhole: true },
  ],
  tellings: [one, two].map((server) => ({ server, conversation: "#geral", entries: history })),
  hearings: [{ listener: "bia", conversation: "#geral", entries: history }],
  files: [one, two].map((replica) => ({ replica, checksums: { "users.json": "1" } })),
  outages: [{ fromMs: 100, toMs: 200 }],
  claims: [],
  accounts: [],
};

function rulesBroken(change: Partial<Observations>): string[] {
  return [...new Set(check({ ...sound, ...change }).map(({ rule }) => rule))];
}

/** The same everywhere that is read or heard. */
function everywhere(entries: readonly Seen[]): Partial<Observations> {
  return {
    tellings: sound.tellings.map((telling) => ({ ...telling, entries })),
    hearings: sound.hearings.map((hearing) => ({ ...hearing, entries })),
    readings: [],
  };
}

/** Where only what the writers were told counts. */
const untold = { servers: [], readings: [], tellings: [], hearings: [] };

const unanswered: Write = { message: "d", client: "ana", conversations: ["#geral"], sentMs: 25 };

describe("the checker", () => {
  test("finds nothing where nothing is wrong", () => {
    expect(check(sound)).toEqual([]);
  });

  test("lets a write without an answer be there or not", () => {
    const writes = [...sound.writes, unanswered];
    expect(rulesBroken({ writes })).toEqual([]);
    expect(rulesBroken({ writes, ...everywhere([...history, seen("d", 4)]) })).toEqual([]);
  });

  test("lost: acknowledged, and missing in what one server tells", () => {
    const tellings = [
      ...sound.tellings.slice(0, 1),
      { server: two, conversation: "#geral", entries: history.slice(0, 2) },
    ];
    expect(check({ ...sound, tellings })).toContainEqual({
      rule: "lost",
      detail: `c was acknowledged and is not in #geral through ${two}`,
    });
  });

  test("lost: a private message is missed in either party's history", () => {
    const private1: Write = { ...written("p", 4, 25), conversations: ["@bia", "@ana"] };
    const tell = (conversation: string, entries: Seen[]) =>
      [one, two].map((server) => ({ server, conversation, entries }));
    const there = [seen("p", 4)];
    const writes = [...sound.writes, private1];
    const both = [...sound.tellings, ...tell("@bia", there), ...tell("@ana", there)];
    expect(rulesBroken({ writes, tellings: both })).toEqual([]);
    const half = [...sound.tellings, ...tell("@bia", there), ...tell("@ana", [])];
    expect(rulesBroken({ writes, tellings: half })).toEqual(["lost"]);
  });

  test("doubled: twice in a history, heard twice, twice on a page", () => {
    const twice = [...history, seen("a", 4)];
    expect(rulesBroken(everywhere(twice))).toContain("doubled");
    const hearings = [{ listener: "bia", conversation: "#geral", entries: twice }];
    expect(rulesBroken({ hearings })).toEqual(["doubled"]);
    const readings = sound.readings.map((reading) => ({ ...reading, entries: twice }));
    expect(rulesBroken({ readings })).toEqual(["doubled"]);
  });

  test("never attempted: nobody sent it, sent it there, or it was refused", () => {
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

  test("diverged: another history, another file, no file, a server that never told", () => {
    const other = [history[0], history[1], seen("c", 5)] as Seen[];
    const tellings = [
      ...sound.tellings.slice(0, 1),
      { server: two, conversation: "#geral", entries: other },
    ];
    expect(rulesBroken({ tellings })).toEqual(["diverged"]);
    const files = (checksums: Record<string, string | undefined>) => [
      ...sound.files.slice(0, 1),
      { replica: two, checksums },
    ];
    expect(rulesBroken({ files: files({ "users.json": "2" }) })).toEqual(["diverged"]);
    expect(rulesBroken({ files: files({}) })).toEqual(["diverged"]);
    expect(rulesBroken({ files: files({ "users.json": "1", "more.json": "1" }) })).toEqual([
      "diverged",
    ]);
    expect(rulesBroken({ tellings: sound.tellings.slice(0, 1) })).toEqual(["diverged"]);
    expect(rulesBroken({ tellings: [] })).toEqual(["diverged"]);
  });

  test("misordered: a history out of the total order", () => {
    const swapped = [history[1], history[0], history[2]] as Seen[];
    expect(rulesBroken(everywhere(swapped))).toEqual(["misordered"]);
    // At one clock the server's name decides.
    const even = [seen("a", 1, two), seen("b", 1, one), seen("c", 3)];
    expect(rulesBroken({ ...everywhere(even), writes: sound.writes.slice(0, 1) })).toContain(
      "misordered",
    );
  });

  test("misordered: a subscriber that hears one server's messages out of their order", () => {
    const swapped = [history[2], history[0], history[1]] as Seen[];
    const hearings = [{ listener: "bia", conversation: "#geral", entries: swapped }];
    expect(rulesBroken({ hearings })).toEqual(["misordered"]);
    // Between servers a subscriber has no order to keep.
    const mixed = [history[1], history[0], history[2]] as Seen[];
    expect(
      rulesBroken({ hearings: [{ listener: "bia", conversation: "#geral", entries: mixed }] }),
    ).toEqual([]);
  });

  test("misordered: an effect whose clock is not above its cause's", () => {
    // c was sent after b had been acknowledged with clock 5.
    const writes = [written("a", 1, 0), written("b", 5, 10), written("c", 3, 20)];
    expect(rulesBroken({ ...untold, writes })).toEqual(["misordered"]);
    // Sent before the answer came: neither is the other's cause.
    const apart = [written("a", 1, 0), written("b", 5, 17), written("c", 3, 20)];
    expect(rulesBroken({ ...untold, writes: apart })).toEqual([]);
  });

  test("misordered: the same of a write without an answer, by the clock that is read", () => {
    const late: Write = { ...unanswered, sentMs: 40 };
    const entries = [seen("d", 0, two), ...history];
    expect(rulesBroken({ ...everywhere(entries), writes: [...sound.writes, late] })).toContain(
      "misordered",
    );
  });

  test("unheard: there, and not heard by who listened all the time", () => {
    const hearings = [{ listener: "bia", conversation: "#geral", entries: history.slice(1) }];
    expect(rulesBroken({ hearings })).toEqual(["unheard"]);
  });

  test("unheard: a sender does not hear what he sends in private", () => {
    const private1: Write = { ...unanswered, conversations: ["@bia", "@ana"] };
    const tellings = [one, two].flatMap((server) =>
      ["@bia", "@ana"].map((conversation) => ({ server, conversation, entries: [seen("d", 4)] })),
    );
    const heard = (listener: string, entries: Seen[]) => {
      return { listener, conversation: `@${listener}`, entries };
    };
    const hearings = [heard("bia", [seen("d", 4)]), heard("ana", [])];
    expect(rulesBroken({ writes: [private1], readings: [], tellings, hearings })).toEqual([]);
    const deaf = [heard("bia", []), heard("ana", [])];
    expect(rulesBroken({ writes: [private1], readings: [], tellings, hearings: deaf })).toEqual([
      "unheard",
    ]);
  });

  test("stale: a client that does not read what it was told before it asked", () => {
    const [reading] = sound.readings;
    if (reading === undefined) throw new Error("there is one");
    const entries = history.slice(0, 2);
    expect(rulesBroken({ readings: [{ ...reading, entries }] })).toEqual(["stale"]);
    // Asked before c was acknowledged, or read by somebody else: nobody promised that.
    expect(rulesBroken({ readings: [{ ...reading, entries, askedMs: 22 }] })).toEqual([]);
    expect(rulesBroken({ readings: [{ ...reading, entries, client: "bia" }] })).toEqual([]);
  });

  test("stale: what is older than the page need not be on it", () => {
    const [reading] = sound.readings;
    if (reading === undefined) throw new Error("there is one");
    const page = { ...reading, entries: history.slice(2), isWhole: false };
    expect(rulesBroken({ readings: [page] })).toEqual([]);
    expect(rulesBroken({ readings: [{ ...page, isWhole: true }] })).toEqual(["stale"]);
  });

  test("stale: a sound write that was refused", () => {
    const refused: Write = { ...unanswered, refused: "channel_not_found" };
    expect(rulesBroken({ writes: [...sound.writes, refused] })).toEqual(["stale"]);
  });

  test("looks at the claims as well", () => {
    const claim = { name: "rosa", client: "eva", id: "1", beganMs: 0, answers: [] };
    expect(rulesBroken({ claims: [{ ...claim, isGivenUp: false }] })).toEqual(["undecided"]);
  });

  test("early: sent and acknowledged while a majority stood still", () => {
    const at = (sentMs: number) => rulesBroken({ ...untold, writes: [written("a", 1, sentMs)] });
    expect(at(150)).toEqual(["early"]);
    // Sent before, or answered after: the majority may have had it.
    expect(at(99)).toEqual([]);
    expect(at(197)).toEqual([]);
  });
});
