import { describe, expect, test } from "vitest";
import {
  type ClusterStatus,
  clusterStatus as describeStatus,
  type StatusSources,
  statusTable,
} from "../../../src/client/core/cluster-status.ts";
import type { Fields } from "../../../src/protocol/fields.ts";
import { parseReply } from "../../../src/protocol/parse-reply.ts";
import { textsIn } from "../../../src/texts/texts.ts";

const names = ["server_00000001", "server_00000002", "server_00000003"];
const [first = "", second = "", third = ""] = names;
const view = { number: 4, members: names };

interface Sources extends Partial<Omit<StatusSources, "server">> {
  readonly server?: Fields;
}

/**
 * Parses the server's reply, and describes the status from this reply and the reference's reply.
 */
function clusterStatus({ server, reference, configured = { brokers: 1, proxies: 1 } }: Sources) {
  return describeStatus({
    server: server && parseReply("status", server),
    reference,
    configured,
  });
}

function kindsOf({ problems }: ClusterStatus): string[] {
  return problems.map(({ kind }) => kind);
}

const member = (name: string, rank: number, extra: object = {}) => ({
  name,
  rank,
  address: `tcp://10.0.0.${rank}:5560`,
  member: true,
  live: true,
  phase: "live",
  lag: 0,
  clock: 100 + rank,
  offsetMs: -rank,
  lastCorrectionMs: rank - 2.5,
  clockRounds: 5 * rank,
  rate: 10 * rank,
  ...extra,
});
const listed = (role: string, name: string, address: string) => ({
  role,
  name,
  address,
  rank: 0,
  clock: 9,
  isKnown: true,
  version: "0.1.0",
});
const list = [
  listed("broker", "broker_1", "tcp://10.0.0.9:5555"),
  listed("proxy", "proxy_1", "tcp://10.0.0.9:5557"),
  ...names.map((name, at) => listed("server", name, `tcp://10.0.0.${at + 1}:5560`)),
];
const server = {
  status: "OK",
  members: [member(first, 1), member(second, 2), member(third, 3)],
  processes: list,
  coordinator: first,
  epoch: { view: 3, term: 2 },
  view,
};
const reference = { address: "tcp://10.0.0.9:5559", reply: { list, view, clock: 12 } };

describe("the status of a cluster", () => {
  test("a cluster's status is healthy and has no problems while all processes run", () => {
    const status = clusterStatus({ server, reference });
    expect(status).toMatchObject({ healthy: true, problems: [], liveMembers: 3, quorum: 2 });
    expect(statusTable(status, textsIn("en")).join("\n")).toMatchInlineSnapshot(`
      "ROLE       NAME             RANK  ADDRESS        VERSION  MEMBER  PHASE  LAG  CLOCK  OFFSET MS  CORRECTION MS  ROUNDS  REQ/S
      reference  reference           -  10.0.0.9:5559  -        -       -        -     12          -              -       -      -
      broker     broker_1            -  10.0.0.9:5555  0.1.0    -       -        -      9          -              -       -      -
      proxy      proxy_1             -  10.0.0.9:5557  0.1.0    -       -        -      9          -              -       -      -
      server     server_00000001     1  10.0.0.1:5560  0.1.0    yes     live     0    101         -1           -1.5       5     10
      server     server_00000002     2  10.0.0.2:5560  0.1.0    yes     live     0    102         -2           -0.5      10     20
      server     server_00000003     3  10.0.0.3:5560  0.1.0    yes     live     0    103         -3            0.5      15     30"
    `);
  });

  test("a cluster's status reports a member that is down with its address, and the table shows that member as down", () => {
    const members = [member(first, 1), member(second, 2), member(third, 3, { live: false })];
    const status = clusterStatus({ server: { ...server, members }, reference });
    expect(status.healthy).toBe(false);
    expect(status.problems).toEqual([
      { kind: "memberDown", name: third, address: "tcp://10.0.0.3:5560" },
    ]);
    expect(statusTable(status, textsIn("en")).at(-1)).toContain("down");
  });

  test("a cluster's status reports a missing quorum while only one of three members is live", () => {
    const members = [
      member(first, 1),
      member(second, 2, { phase: "backfill" }),
      member(third, 3, { live: false, address: null }),
    ];
    const status = clusterStatus({ server: { ...server, members }, reference });
    expect(status.problems).toEqual([
      { kind: "noQuorum", live: 1, quorum: 2, of: 3 },
      { kind: "memberDown", name: third, address: null },
    ]);
    expect(status.liveMembers).toBe(1);
  });

  test("a live server outside the view does not count for the quorum in a cluster's status", () => {
    const outside = { ...view, members: [first, second] };
    const members = [member(first, 1), member(third, 3, { member: false })];
    const status = clusterStatus({ server: { ...server, view: outside, members }, reference });
    expect(kindsOf(status)).toEqual(["noQuorum"]);
  });

  test("a cluster's status shows a member of the view even if the lists of the server and the reference lack this member", () => {
    const status = clusterStatus({
      server: { ...server, members: [member(first, 1), member(second, 2)] },
      reference: { ...reference, reply: { ...reference.reply, list: [] } },
    });
    expect(status.processes).toContainEqual(
      expect.objectContaining({ name: third, member: true, live: false }),
    );
    // A server has answered through a broker, so a broker is up.
    expect(kindsOf(status)).toEqual(["noProxy", "memberDown"]);
  });

  test("[X1] a cluster's status does not count a guest as a broker or a proxy, even if the guest reports this role", () => {
    const guests = ["broker", "proxy", "reference"].map((role) => {
      return { ...listed(role, `guest_${role}`, ""), isKnown: false, guestServers: true };
    });
    const judged = (processes: readonly object[]) => {
      const reply = { ...reference.reply, list: processes };
      const {
        problems,
        warnings,
        processes: rows,
      } = clusterStatus({ reference: { ...reference, reply } });
      return { problems, warnings, references: rows.filter(({ role }) => role === "reference") };
    };
    const servers = list.filter(({ role }) => role === "server");
    const { problems, warnings, references } = judged([...servers, ...guests]);
    expect(problems).toEqual([{ kind: "noBroker" }, { kind: "noProxy" }]);
    expect(warnings).toEqual([]);
    expect(references).toHaveLength(2);
  });

  test("a cluster's status reports no missing brokers or proxies if the reference did not answer", () => {
    const status = clusterStatus({ server: { ...server, processes: [] }, reference: undefined });
    expect(status.problems).toEqual([{ kind: "noReference" }]);
  });

  test("if no server answered, a cluster's status shows the processes that the reference lists", () => {
    const status = clusterStatus({ reference });
    expect(status.problems).toEqual([{ kind: "noServer" }]);
    expect(status.processes.map(({ role }) => role)).toEqual([
      "reference",
      "broker",
      "proxy",
      "server",
      "server",
      "server",
    ]);
  });

  test("if no server answered, a cluster's status counts the members in the reference's list for the quorum", () => {
    const reply = { list: list.filter(({ name }) => name !== second && name !== third), view };
    const status = clusterStatus({ reference: { ...reference, reply } });
    expect(kindsOf(status)).toEqual(["noServer", "noQuorum", "memberDown", "memberDown"]);
    expect(status.liveMembers).toBe(1);
  });

  test("a server's reply with fields of wrong types leads to an unhealthy status and throws nothing", () => {
    const odd = { members: [7, {}], view: "none", processes: { a: 1 }, coordinator: 3 };
    expect(clusterStatus({ server: odd, reference: undefined }).healthy).toBe(false);
  });

  test("[E5] the status table shows a dash for each clock value that an older server does not report", () => {
    const older = member(first, 1, { lastCorrectionMs: undefined, clockRounds: null });
    const status = clusterStatus({ server: { ...server, members: [older] }, reference });
    const [row] = status.processes.filter(({ name }) => name === first);
    expect(row).toMatchObject({ offsetMs: -1, lastCorrectionMs: null, clockRounds: null });
    const line = statusTable(status, textsIn("en")).find((one) => one.includes(first));
    expect(line).toMatch(/ -1 +- +- +10$/);
  });

  test("a cluster's status names the elected coordinator and its epoch", () => {
    const epoch = { view: 3, term: 2 };
    const elected = { ...server, coordinator: first, epoch };
    const status = clusterStatus({ server: elected, reference });
    expect(status).toMatchObject({ coordinator: first, epoch });
  });
});

describe("the counts of messages that a process refused", () => {
  const counts = { refused: { forged: 2, stale: 1 }, disbelievedClocks: 3 };

  test("a status takes the answering server's counts of refused messages from the reply, and other processes' counts from the reference's list", () => {
    const told = list.map((process) => ({ ...process, ...counts }));
    const own = { server: first, refused: { forged: 9, stale: 0 }, disbelievedClocks: 0 };
    const { processes } = clusterStatus({
      server: { ...server, ...own },
      reference: { ...reference, reply: { ...reference.reply, list: told } },
    });
    const row = (name: string) => processes.find((process) => process.name === name);
    expect(row(first)).toMatchObject({ refused: own.refused, disbelievedClocks: 0 });
    expect(row(second)).toMatchObject(counts);
    expect(row("broker_1")).toMatchObject(counts);
  });

  test.each([
    ["no counts", {}],
    ["strings as counts", { refused: { forged: "2", stale: "1" }, disbelievedClocks: "3" }],
    ["null as counts", { refused: null, disbelievedClocks: null }],
    ["negative counts", { refused: { forged: -1, stale: 0 }, disbelievedClocks: -3 }],
  ])(
    "a process's counts of refused messages are unknown in the status if the process reports %s",
    (_name, odd) => {
      const told = list.map((process) => ({ ...process, ...odd }));
      const reply = { ...reference.reply, list: told };
      const { processes } = clusterStatus({ server, reference: { ...reference, reply } });
      const untold = { refused: null, disbelievedClocks: null };
      for (const process of processes.filter(({ role }) => role !== "reference")) {
        expect(process).toMatchObject(untold);
      }
    },
  );
});

describe("a reference of the original protocol", () => {
  test("if the reference has the original protocol, a status reports this as a problem and shows the processes that the server lists", () => {
    const foreign = { list: [{ name: "s1", rank: 1 }], clock: 4, timestamp: "" };
    const cluster = clusterStatus({ server, reference: { ...reference, reply: foreign } });
    expect(cluster.problems).toEqual([{ kind: "foreignReference" }]);
    expect(cluster.processes).toHaveLength(list.length);
  });
});
