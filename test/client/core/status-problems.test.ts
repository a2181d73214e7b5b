import { describe, expect, test } from "vitest";
import {
  problemsOf,
  type Seen,
  type StatusProblem,
  warningsOf,
} from "../../../src/client/core/status-problems.ts";
import { problemSentence, warningSentence } from "../../../src/client/core/status-sentences.ts";
import { isServerName } from "../../../src/protocol/ids.ts";
import type { Listed, Role } from "../../../src/protocol/reference-messages.ts";
import { textsIn } from "../../../src/texts/texts.ts";

const MiB = 1024 ** 2;
const GiB = 1024 * MiB;
const members = ["server_00000001", "server_00000002", "server_00000003"].filter(isServerName);
const [first = "", second = "", third = ""] = members;

type Row = Seen["rows"][number];

const row = (name: string, extra: Partial<Row> = {}): Row => ({
  name,
  address: `tcp://${name}:5560`,
  member: true,
  live: true,
  phase: "live",
  offsetMs: 3,
  disbelievedClocks: 0,
  disk: { freeBytes: 50 * GiB, totalBytes: 100 * GiB },
  decisionFaults: {},
  ...extra,
});

const listed = (role: Role, name: string, extra: Partial<Listed> = {}): Listed => ({
  role,
  name,
  rank: 0,
  address: "",
  clock: 1,
  isKnown: true,
  version: "0.2.0",
  ...extra,
});

const servers = members.map((name) => listed("server", name));
const healthy: Seen = {
  hasServer: true,
  coordinator: first,
  reference: "ours",
  view: { number: 3, members },
  liveMembers: 3,
  rows: members.map((name) => row(name)),
  known: [listed("broker", "broker_1"), listed("proxy", "proxy_1"), ...servers],
  configured: { brokers: 1, proxies: 1 },
};

/** The healthy cluster, in which the last server has other values. */
function withThird(extra: Partial<Row>): Seen {
  return { ...healthy, rows: [row(first), row(second), row(third, extra)] };
}

const down: StatusProblem = { kind: "memberDown", name: third, address: `tcp://${third}:5560` };

describe("the problems of a cluster", () => {
  const cases: readonly (readonly [string, Partial<Seen>, readonly StatusProblem[]])[] = [
    ["nothing if the cluster is healthy", {}, []],
    ["a server that is down", withThird({ live: false }), [down]],
    [
      "a member that is known only by its name",
      { rows: [row(first), row(second)] },
      [{ kind: "memberDown", name: third, address: null }],
    ],
    [
      "a member whose name a guest uses",
      withThird({ member: false }),
      [{ kind: "memberDown", name: third, address: null }],
    ],
    ["a missing coordinator", { coordinator: null }, [{ kind: "noCoordinator" }]],
    [
      "a missing quorum, but no missing coordinator beside it",
      { ...withThird({ live: false }), coordinator: null, liveMembers: 1 },
      [{ kind: "noQuorum", live: 1, quorum: 2, of: 3 }, down],
    ],
    [
      "no missing coordinator if no server answered",
      { hasServer: false, coordinator: null },
      [{ kind: "noServer" }],
    ],
    [
      "no missing quorum if neither a server nor the reference knows the members",
      {
        ...{ hasServer: false, coordinator: null, liveMembers: 0 },
        ...{ view: { number: 0, members: [] }, rows: [] },
      },
      [{ kind: "noServer" }],
    ],
    [
      "a missing broker and no silent servers if there is no broker",
      { hasServer: false, coordinator: null, known: [listed("proxy", "proxy_1"), ...servers] },
      [{ kind: "noBroker" }],
    ],
    [
      "how many brokers and proxies of the settings are up",
      { configured: { brokers: 3, proxies: 2 } },
      [
        { kind: "brokersMissing", up: 1, of: 3 },
        { kind: "proxiesMissing", up: 1, of: 2 },
      ],
    ],
    [
      "that there is no proxy at all, rather than that one of two is missing",
      { known: [listed("broker", "broker_1"), ...servers], configured: { brokers: 1, proxies: 2 } },
      [{ kind: "noProxy" }],
    ],
    [
      "a silent reference, and no missing brokers, which nobody can know then",
      { reference: "silent", known: [], configured: { brokers: 2, proxies: 2 } },
      [{ kind: "noReference" }],
    ],
    [
      "the brokers and proxies that let strangers in as servers",
      { known: [listed("broker", "open", { guestServers: true }), ...healthy.known] },
      [{ kind: "guestServers", names: ["open"] }],
    ],
    [
      "a machine clock that is a second ahead or behind",
      withThird({ offsetMs: -1_000 }),
      [{ kind: "clockOff", name: third, ms: 1_000 }],
    ],
    ["no machine clock that is less than a second off", withThird({ offsetMs: 999 }), []],
    [
      "once that servers have applied different decisions, with the lowest slot, also of a server that is down",
      {
        ...healthy,
        rows: [
          row(first, { decisionFaults: { differs: 9 } }),
          row(second),
          row(third, { decisionFaults: { differs: 7 }, live: false }),
        ],
      },
      [down, { kind: "decisionsDiffer", slot: 7, names: [first, third] }],
    ],
    [
      "each server that does not know an operation",
      withThird({ decisionFaults: { unknownKind: "sale" } }),
      [{ kind: "unknownOperation", name: third, operation: "sale" }],
    ],
    ["no clock and disk of a server that is down", { ...withThird({ live: false }) }, [down]],
  ];

  test.each(cases)("a status reports %s", (_name, seen, problems) => {
    expect(problemsOf({ ...healthy, ...seen })).toEqual(problems);
  });

  test.each([
    { freeBytes: 1_024 * MiB, totalBytes: 1_000 * GiB, isFull: false },
    { freeBytes: 1_024 * MiB - 1, totalBytes: 1_000 * GiB, isFull: true },
    { freeBytes: 103 * MiB, totalBytes: 2 * GiB, isFull: false },
    { freeBytes: 102 * MiB, totalBytes: 2 * GiB, isFull: true },
    // Some file systems tell no size.
    { freeBytes: 0, totalBytes: 0, isFull: false },
  ])(
    "a status reports whether a disk with $freeBytes free bytes of $totalBytes is nearly full: $isFull",
    ({ freeBytes, totalBytes, isFull }) => {
      const problems = problemsOf(withThird({ disk: { freeBytes, totalBytes } }));
      const full = { kind: "diskNearlyFull", name: third, freeBytes };
      expect(problems).toEqual(isFull ? [full] : []);
    },
  );
});

describe("the warnings of a cluster", () => {
  test("a status warns of each process whose version is lower than the highest one, or unknown", () => {
    const known = [
      listed("broker", "broker_1", { version: "0.10.0" }),
      listed("proxy", "proxy_1", { version: "0.9.3" }),
      listed("server", first, { version: undefined }),
    ];
    expect(warningsOf({ rows: [], known })).toEqual([
      { kind: "olderVersion", name: "proxy_1", version: "0.9.3", newest: "0.10.0" },
      { kind: "olderVersion", name: first, version: null, newest: "0.10.0" },
    ]);
  });

  test("a status warns of a pre-release if another process runs its release", () => {
    const known = [
      listed("broker", "broker_1", { version: "1.0.0-rc.1" }),
      listed("proxy", "proxy_1", { version: "1.0.0" }),
    ];
    expect(warningsOf({ rows: [], known })).toEqual([
      { kind: "olderVersion", name: "broker_1", version: "1.0.0-rc.1", newest: "1.0.0" },
    ]);
  });

  test("a status warns of no version while no process reports one", () => {
    const known = servers.map((process) => ({ ...process, version: undefined }));
    expect(warningsOf({ rows: healthy.rows, known })).toEqual([]);
  });

  test("[O55] a status shows which secrets all processes have, while they have more than one", () => {
    const known = servers.map((one) => ({ ...one, secrets: ["0a1b2c3d", "4e5f6071"] }));
    const warning = { kind: "severalSecrets", secrets: ["0a1b2c3d", "4e5f6071"] } as const;
    expect(warningsOf({ rows: [], known })).toEqual([warning]);
    expect(warningSentence(warning, textsIn("en"))).toMatch(/use the secret 0a1b2c3d and also/);
    expect(warningSentence(warning, textsIn("pt-br"))).toContain("também aceitam 4e5f6071");
    const one = servers.map((process) => ({ ...process, secrets: ["4e5f6071"] }));
    expect(warningsOf({ rows: [], known: one })).toEqual([]);
  });

  test("[O55] a status names the processes that have other secrets, or the same in another order", () => {
    const secrets = [["0a1b2c3d", "4e5f6071"], ["4e5f6071", "0a1b2c3d"], ["0a1b2c3d"], undefined];
    const known = secrets.map((told, index) =>
      listed("broker", `broker_${index}`, { secrets: told }),
    );
    const [warning, ...rest] = warningsOf({ rows: [], known });
    expect(rest).toEqual([]);
    expect(warning).toEqual({
      kind: "secretsDiffer",
      groups: secrets.slice(0, 3).map((told, index) => {
        return { secrets: told, names: [`broker_${index}`] };
      }),
    });
    const sentence = warning && warningSentence(warning, textsIn("en"));
    expect(sentence).toContain(
      "broker_0: 0a1b2c3d 4e5f6071; broker_1: 4e5f6071 0a1b2c3d; broker_2: 0",
    );
  });

  test("[O60] a status warns once of accounts that a server of version 0.1.0 has changed", () => {
    const decisionFaults = { hasFormer: true } as const;
    const rows = [row(first), row(second, { decisionFaults }), row(third, { decisionFaults })];
    const warning = { kind: "formerAccounts", names: [second, third] } as const;
    expect(warningsOf({ rows, known: healthy.known })).toEqual([warning]);
    expect(warningSentence(warning, textsIn("en"))).toContain(`as ${second}, ${third} noticed`);
    expect(warningSentence(warning, textsIn("pt-br"))).toContain(`notado por ${second}, ${third}`);
  });

  test("a status warns of clocks that a process has not believed", () => {
    const { rows, known } = withThird({ disbelievedClocks: 4 });
    expect(warningsOf({ rows, known })).toEqual([
      { kind: "disbelievedClocks", name: third, count: 4 },
    ]);
  });
});

describe("the sentences of a status", () => {
  const [en, pt] = [textsIn("en"), textsIn("pt-br")];

  test("the sentence about a member that is down says where to start it and how to remove it, in both languages", () => {
    const telling = { cause: undefined, hasQuorum: true };
    expect(problemSentence(down, { ...telling, text: en })).toBe(
      `The server ${third} of the cluster does not answer. Start it again on its machine (tcp://${third}:5560), or remove it for good: tertulia servers remove ${third}.`,
    );
    expect(problemSentence(down, { ...telling, text: pt })).toBe(
      `O servidor ${third} do cluster não responde. Inicie-o de novo na máquina dele (tcp://${third}:5560) ou remova-o de vez: tertulia servers remove ${third}.`,
    );
  });

  test("without a quorum, the sentence about a member that is down does not say how to remove it, because the reference would refuse", () => {
    const unknown = { ...down, address: null };
    const sentence = problemSentence(unknown, { text: en, cause: undefined, hasQuorum: false });
    expect(sentence).toBe(
      `The server ${third} of the cluster does not answer. Start it again on its machine.`,
    );
  });

  test("the sentences about disks, clocks, decisions and versions have no control sequences from a process's name", () => {
    const name = "\x1b[2Jx";
    const telling = { text: en, cause: "\x1b[2J", hasQuorum: true };
    const sentences = [
      problemSentence({ kind: "diskNearlyFull", name, freeBytes: 7.9 * MiB }, telling),
      problemSentence({ kind: "clockOff", name, ms: 1_600 }, telling),
      problemSentence({ kind: "guestServers", names: [name] }, telling),
      problemSentence({ kind: "noServer" }, telling),
      problemSentence({ kind: "decisionsDiffer", slot: 7, names: [name] }, telling),
      problemSentence({ kind: "unknownOperation", name, operation: name }, telling),
      warningSentence({ kind: "formerAccounts", names: [name] }, en),
      warningSentence({ kind: "olderVersion", name, version: "0.1.0", newest: "0.2.0" }, en),
    ];
    expect(sentences.join("\n")).not.toContain("\x1b");
    expect(sentences[0]).toContain("7 MiB left");
    expect(sentences[1]).toContain("off by 2 s");
  });
});
