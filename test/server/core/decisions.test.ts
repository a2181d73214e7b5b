import { describe, expect, test } from "vitest";
import { parseUserName, type RequestId } from "../../../src/protocol/ids.ts";
import { durations, limits } from "../../../src/protocol/limits.ts";
import type { CoordinationAnswer } from "../../../src/protocol/peer-messages.ts";
import { cutOff, others } from "../../support/coordinators.ts";
import { type CoreCluster, servingCluster } from "../../support/core-cluster.ts";
import type { VirtualServer } from "../../support/virtual-server.ts";

const eva = parseUserName("eva");

/** Waits for a coordinator whose term is above `aboveTerm`. */
function coordinator(cluster: CoreCluster, aboveTerm = 0): VirtualServer {
  const found = () =>
    cluster.servers.find(({ isRunning, core }) => {
      return isRunning && (core.election.ownEpoch?.term ?? 0) > aboveTerm;
    });
  cluster.runUntil(() => found() !== undefined, `a term above ${aboveTerm}`);
  return found() as VirtualServer;
}

function termOf({ core }: VirtualServer): number {
  return core.election.ownEpoch?.term ?? 0;
}

function register(cluster: CoreCluster, server: VirtualServer, id: string) {
  return cluster.request(server, "register", { user: "eva", password: "x", id });
}

type ForwardAnswer = CoordinationAnswer & { readonly service: "forward" };

interface Forwarding {
  readonly onAnswer?: (answer: ForwardAnswer) => void;
  readonly length?: number;
}

let forwarded = 0;

/** Forwards operations, as many as fit into a message, each of another user. */
function forward(
  cluster: CoreCluster,
  [first, { name, core }]: readonly [VirtualServer, VirtualServer],
  { onAnswer = () => {}, length = limits.decisionOperations }: Forwarding = {},
): void {
  forwarded += 1;
  const { view, committed } = core.replication;
  const operations = Array.from({ length }, (_, number) => {
    const by = parseUserName(`user${forwarded}-${number}`);
    return { kind: "rehash", by, id: "1" as RequestId, since: 0, credential: "x", from: "" };
  });
  const clock = first.core.clock.value;
  const summary = { server: name, clock, view, durable: { ...committed } };
  const request = { service: "forward", ...summary, operations } as const;
  const to = (answer: CoordinationAnswer) => {
    if (answer.service === "forward") onAnswer(answer);
  };
  cluster.hand(first, { type: "coordinationRequest", to, request });
}

/** Cuts a server off, and waits until its disk alone has a claim. */
function claimAlone(cluster: CoreCluster, server: VirtualServer, id: string): void {
  cutOff(cluster, server);
  const held = () => server.disk.durable[server.name] ?? 0;
  const before = held();
  cluster.ask(server, "register", { user: "eva", password: "x", id });
  cluster.runUntil(() => held() > before, "the claim is on its disk");
}

describe("claims left by earlier coordinators", () => {
  test("[D3] an account that was answered OK exists at all servers even if its coordinator crashes before its mark is on a disk", () => {
    const cluster = servingCluster(3);
    const first = coordinator(cluster);
    expect(register(cluster, first, "a")).toMatchObject({ status: "OK" });
    // The client has its reply, but the confirmation is not on disk yet.
    cluster.crash(first);
    coordinator(cluster, 1);
    const running = cluster.servers.filter(({ isRunning }) => isRunning);
    const owners = () => running.map(({ core }) => core.accounts.owner(eva)?.id);
    cluster.runUntil(() => owners().every((id) => id === "a"), "all know who owns the name");
  });

  test("[D9] [R10] a registration is refused with name_taken only if its sender can never become the owner of the name", () => {
    const cluster = servingCluster(3);
    const first = coordinator(cluster);
    claimAlone(cluster, first, "a");
    const second = coordinator(cluster, termOf(first));
    claimAlone(cluster, second, "b");
    const { term } = second.core.election.ownEpoch ?? { term: 0 };
    // The second server, whose claim is newer, goes down. The first server comes back with its
    // claim.
    cluster.kill(second);
    cluster.network.heal();
    const third = coordinator(cluster, term);
    expect(register(cluster, third, "b")).toMatchObject({ code: "name_taken" });
    const last = termOf(third);
    cluster.start(second);
    cluster.runUntilServing();
    cluster.runUntilEqual();
    cluster.kill(third);
    const fourth = coordinator(cluster, last);
    expect(register(cluster, fourth, "b")).toMatchObject({ code: "name_taken" });
    expect(register(cluster, fourth, "a")).toMatchObject({ status: "OK" });
  });
});

describe("passwords of claims", () => {
  /** The credentials of the accounts of a name that the server has. */
  function credentials({ core }: VirtualServer, user: string): string[] {
    return core.accounts.all().flatMap((one) => (one.user === user ? [one.credential] : []));
  }

  const named = (user: string, id: string) => ({ user, password: `that of ${user}`, id });

  test("[D9] two registrations of different names with the same id each have their own password, whichever password is hashed first", () => {
    const cluster = servingCluster(3);
    const first = coordinator(cluster);
    const [server] = others(cluster, first) as [VirtualServer];
    server.hashMs = (password) => (password === "that of eva" ? 20 : 2);
    const asked = ["eva", "leo"].map((user) => {
      return cluster.ask(server, "register", named(user, "1"));
    });
    cluster.runUntil(() => asked.every(({ reply }) => reply?.status === "OK"), "both are won");
    expect(credentials(first, "eva")).toEqual(["hash of that of eva"]);
    expect(credentials(first, "leo")).toEqual(["hash of that of leo"]);
  });

  test("[D5] if a registration is refused before its password is hashed, no other one gets the hash of that password", () => {
    const cluster = servingCluster(3);
    const first = coordinator(cluster);
    const [server] = others(cluster, first) as [VirtualServer];
    server.hashMs = (password) => (password === "that of eva" ? 100 : 200);
    const late = cluster.ask(server, "register", named("eva", "1"));
    expect(register(cluster, first, "a")).toMatchObject({ status: "OK" });
    cluster.runUntil(() => late.reply !== undefined, "the name is another's");
    expect(late.reply).toMatchObject({ code: "name_taken" });
    const asked = cluster.ask(server, "register", named("leo", "1"));
    cluster.runUntil(() => asked.reply !== undefined, "an answer");
    expect(asked.reply).toMatchObject({ status: "OK" });
    expect(credentials(first, "leo")).toEqual(["hash of that of leo"]);
  });
});

describe("the time until an operation is proposed", () => {
  test.each([1, 3])(
    "[D1] with %i servers an operation is proposed in the step in which its password is hashed, and not at the next tick",
    (servers) => {
      const cluster = servingCluster(servers);
      const first = coordinator(cluster);
      for (const user of ["eva", "leo", "ivo"]) {
        const asked = cluster.ask(first, "register", { user, password: "x", after: {} });
        const startMs = cluster.time.nowMs;
        cluster.runUntil(() => asked.reply !== undefined, "an answer");
        expect(cluster.time.nowMs - startMs).toBeLessThan(durations.tickMs);
        cluster.runFor(500);
      }
    },
  );
});

describe("more claims than a server can decide", () => {
  const refusal = { code: "unavailable", retry: true };

  test("[D1] a server refuses registrations at once while it has the maximum number of unhashed passwords", () => {
    const cluster = servingCluster(3);
    const [server] = others(cluster, coordinator(cluster)) as [VirtualServer];
    const claim = (user: string) => {
      return cluster.ask(server, "register", { user, password: "x", id: user });
    };
    const room = limits.unhashedPasswords + limits.hashesAtOnce;
    const asked = Array.from({ length: room + 10 }, (_, at) => claim(`user${at}`));
    const refused = asked.filter(({ reply }) => reply !== undefined);
    expect(refused.map(({ reply }) => reply)).toMatchObject(Array(10).fill(refusal));
    expect(asked.slice(room)).toEqual(refused);
    cluster.runUntil(() => asked.every(({ reply }) => reply !== undefined), "all are answered");
    expect(asked.filter(({ reply }) => reply?.status === "OK")).toHaveLength(room);
    const later = asked.slice(room).map((_, at) => claim(`user${room + at}`));
    cluster.runUntil(() => later.every(({ reply }) => reply?.status === "OK"), "so are they");
  });

  test("[D1] a registration that times out before its password is hashed frees its place in the queue of passwords", () => {
    const cluster = servingCluster(3);
    const [server] = others(cluster, coordinator(cluster)) as [VirtualServer];
    server.hashMs = () => 2 * durations.decideMs;
    const claim = (user: string) => {
      return cluster.ask(server, "register", { user, password: "x", id: user });
    };
    const room = limits.unhashedPasswords + limits.hashesAtOnce;
    const asked = Array.from({ length: room }, (_, at) => claim(`user${at}`));
    cluster.runUntil(() => asked.every(({ reply }) => reply !== undefined), "all are given up");
    expect(asked.map(({ reply }) => reply)).toMatchObject(Array(room).fill(refusal));
    server.hashMs = () => 2;
    cluster.runFor(2 * durations.decideMs);
    expect(register(cluster, server, "a")).toMatchObject({ status: "OK" });
  });

  test("[D1] a forwarded list without operations is answered at once", () => {
    const cluster = servingCluster(3);
    const first = coordinator(cluster);
    const [peer] = others(cluster, first) as [VirtualServer];
    const told: unknown[] = [];
    forward(cluster, [first, peer], { onAnswer: ({ ends }) => told.push(ends), length: 0 });
    cluster.runFor(10);
    expect(told).toEqual([[]]);
  });

  test("[D1] a coordinator decides its own clients' operations although other servers forward more than one server may have open", () => {
    const cluster = servingCluster(3);
    const first = coordinator(cluster);
    const [peer] = others(cluster, first) as [VirtualServer];
    const rest = others(cluster, first).map(({ name }) => name);
    for (const name of rest) cluster.network.cut(first.name, name, ["peer"]);
    forward(cluster, [first, peer]);
    const own = cluster.ask(first, "register", { user: "eva", password: "x", id: "a" });
    cluster.runFor(100);
    expect(own.reply).toBeUndefined();
    cluster.network.heal();
    cluster.runUntil(() => own.reply !== undefined, "an answer");
    expect(own.reply).toMatchObject({ status: "OK" });
  });

  test("[D1] a coordinator with the maximum number of undecided operations leaves further forwarded ones unanswered until some are decided", () => {
    const cluster = servingCluster(3);
    const first = coordinator(cluster);
    const [peer] = others(cluster, first) as [VirtualServer];
    const rest = others(cluster, first).map(({ name }) => name);
    for (const name of rest) cluster.network.cut(first.name, name, ["peer"]);
    const ends: (number | undefined)[] = [];
    const most = limits.coordinatorOperations / limits.decisionOperations;
    for (let at = 0; at < most + 2; at += 1) {
      const onAnswer = ({ ends: told }: ForwardAnswer) => {
        ends[at] = told.filter((end) => end !== undefined).length;
      };
      forward(cluster, [first, peer], { onAnswer });
    }
    const own = cluster.ask(first, "register", { user: "eva", password: "x", id: "a" });
    cluster.runUntil(() => own.reply !== undefined, "an answer");
    expect(own.reply).toMatchObject(refusal);
    cluster.runFor(durations.peerRequestMs + durations.tickMs);
    // None of them is decided; the other server forwards the last two again.
    expect(ends).toEqual(Array(most).fill(0));
    cluster.network.heal();
    expect(register(cluster, first, "a")).toMatchObject({ status: "OK" });
  });
});
