import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Dealer, Publisher, Subscriber } from "zeromq";
import type { Session } from "../../src/client/session.ts";
import type { Child } from "../../src/cluster/child.ts";
import { connect } from "../../src/net/connect.ts";
import { Membership } from "../../src/net/membership.ts";
import type { Seals } from "../../src/net/seal.ts";
import { openLog } from "../../src/platform/log.ts";
import { type Purpose, readSecret } from "../../src/platform/secret.ts";
import { decode, encode } from "../../src/protocol/codec.ts";
import { LamportClock } from "../../src/protocol/lamport-clock.ts";
import type { Reply } from "../../src/protocol/replies.ts";
import type { View } from "../../src/protocol/view.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { withinTheDoor } from "../support/members-door.ts";
import { until } from "../support/until.ts";
import { logOf } from "./folders.ts";

type Fields = Record<string, unknown>;
type Row = Fields & { name: string; address: string; live: boolean };

const noHeartbeats = "servers with an engine send each other no heartbeats";
let cluster: LocalCluster;
/** One for all questions, because each one more needs sockets until the cluster ends. */
let session: Session;

beforeAll(async () => {
  cluster = await LocalCluster.start({ logLevel: "info" });
  session = cluster.client();
}, 60_000);

afterAll(() => cluster?.[Symbol.asyncDispose](), 30_000);

const nameOf = (server: Child) => server.ready?.name ?? "";

/** Asks for the status until `server` answers, and returns its reply. */
async function statusOf(server: Child): Promise<Reply<"status">> {
  for (;;) {
    const status = await session.status();
    if (status.server === nameOf(server)) return status;
  }
}

/** The Lamport clock of the server that answered. */
function clockOf({ server, members }: Reply<"status">): number {
  return members.find(({ name }) => name === server)?.clock ?? Number.NaN;
}

async function addressOf(server: Child): Promise<string> {
  const { members } = await statusOf(cluster.server(1));
  const address = members.find(({ name }) => name === nameOf(server))?.address ?? "";
  return withinTheDoor(cluster.folder, address);
}

/**
 * Seals of a process that calls itself `name`. They use `secret` if it is given, else the cluster's
 * secret.
 */
function sealsOf(name: string, purpose: Purpose, { secret = "", clock = 0 } = {}): Seals {
  const self = () => name;
  const log = openLog({ level: "silent", role: "test", name: self, clock: () => 0 });
  const path = join(cluster.folder, "secret");
  const text = secret === "" ? undefined : secret;
  const read = readSecret({ text, path, isDefault: true, cluster: "tertulia" });
  const options = { secret: read, self, clock: new LamportClock(clock), log };
  return new Membership(options).seals(purpose);
}

/**
 * Sends frames from a new socket. Returns the reply's payload, or undefined if no reply comes in
 * time.
 */
async function say(endpoint: string, frames: Uint8Array[], patienceMs = 1_000) {
  const socket = new Dealer({ linger: 0, receiveTimeout: patienceMs });
  connect(socket, [endpoint]);
  try {
    await socket.send(["", ...frames]);
    const [, payload] = await socket.receive();
    return payload;
  } catch {
    return undefined;
  } finally {
    socket.close();
  }
}

async function ask(service: string, data: Fields, seals?: Seals): Promise<Fields | undefined> {
  const payload = encode({ service, data });
  const seal = seals?.seal("reference", payload);
  const answer = await say(cluster.endpoints.reference, seal ? [payload, seal] : [payload]);
  return answer === undefined ? undefined : ((decode(answer) as Fields).data as Fields);
}

describe("[X1] the reference", { timeout: 60_000 }, () => {
  test("the reference answers a guest, but lists the guest neither as a member nor under a member's name", async () => {
    const before = (await ask("list", {})) as { view: View; list: Row[] };
    const server = nameOf(cluster.server(1));
    const view = { number: 99, members: ["server_00000099"] };
    const lie = { view, durable: {}, ready: true, role: "server", address: "tcp://127.0.0.1:9" };
    for (const user of ["server_00000099", server]) {
      expect(await ask("rank", { user, address: lie.address })).toMatchObject({ status: "OK" });
      const answer = await ask("heartbeat", { user, ...lie });
      expect(answer).toMatchObject({ status: "OK" });
      expect(answer).not.toHaveProperty("view");
    }
    const after = (await ask("list", {})) as { view: View; list: Row[] };
    expect(after.view).toEqual(before.view);
    const row = (name: string) => after.list.find((one) => one.name === name);
    expect(row(server)?.address).toBe(before.list.find(({ name }) => name === server)?.address);
    expect(row(server)).toMatchObject({ isKnown: true });
    expect(row("server_00000099")).toMatchObject({ isKnown: false });
    expect(after.list.filter(({ role }) => role === "broker" || role === "proxy")).toEqual([
      expect.objectContaining({ isKnown: true }),
      expect.objectContaining({ isKnown: true }),
    ]);
  });

  test("[O18] the reference logs at most 50 lines a second about a guest's requests", async () => {
    const startMs = performance.now();
    const socket = new Dealer({ linger: 0, receiveTimeout: 10_000 });
    socket.connect(cluster.endpoints.reference);
    const count = 2_000;
    for (let sent = 0; sent < count; sent += 1) {
      await socket.send(["", encode({ service: "rank", data: { user: "a_curious_guest" } })]);
    }
    for (let heard = 0; heard < count; heard += 1) await socket.receive();
    socket.close();
    const seconds = Math.ceil((performance.now() - startMs) / 1_000) + 1;
    const lines = logOf(cluster, cluster.of("reference")[0] as Child)
      .split("\n")
      .filter((line) => line.includes("a_curious_guest"));
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.length).toBeLessThanOrEqual(50 * seconds);
  });

  test("the reference lets neither a guest nor another server remove a server, and ignores a request with a wrong seal", async () => {
    const user = nameOf(cluster.server(3));
    const refusal = { status: "erro", code: "unauthenticated", retry: false };
    expect(await ask("leave", { user })).toMatchObject(refusal);
    expect(await ask("remove", { user, force: true })).toMatchObject(refusal);
    const stranger = sealsOf(user, "reference", { secret: "the secret of somebody else" });
    expect(await ask("leave", { user }, stranger)).toBeUndefined();
    // A member can't remove another member by `leave`.
    const clock = Number((await ask("list", {}))?.clock) + 1_000;
    const other = sealsOf("server_00000001", "reference", { clock });
    expect(await ask("leave", { user }, other)).toMatchObject(refusal);
    const { view, list } = (await ask("list", {})) as { view: View; list: Row[] };
    const listed = list.map(({ name }) => name);
    // Servers with an engine are no members.
    expect(LocalCluster.hasEngine ? listed : view.members).toContain(user);
  });
});

/** A forged heartbeat of a coordinator whose epoch is above all real epochs. */
function heartbeat(server: string, view: unknown): Buffer {
  const office = { view: 1, term: 900 };
  const summary = { server, clock: 900_000_000, view, durable: {}, office };
  const rest = { address: "tcp://127.0.0.1:9", phase: "live", chains: {}, rate: 0 };
  return Buffer.from(encode({ type: "heartbeat", ...summary, ...rest }));
}

describe("[X1] replication", { timeout: 60_000 }, () => {
  test("servers ignore unsealed and wrongly sealed replication messages, even a heartbeat that announces a coordinator", async () => {
    let before = await statusOf(cluster.server(1));
    await until(async () => {
      before = await statusOf(cluster.server(1));
      return before.coordinator !== null;
    }, "there is a coordinator");
    const forged = () => (async () => (await statusOf(cluster.server(1))).refused?.forged)();
    const count = Number(await forged());
    using socket = new Publishing(cluster.endpoints.proxyIn);
    const name = nameOf(cluster.server(2));
    const payload = heartbeat(name, before.view);
    const stranger = sealsOf(name, "replication", { secret: "the secret of somebody else" });
    await until(async () => {
      await socket.send(["replication", payload]);
      await socket.send(["replication", payload, stranger.seal("replication", payload)]);
      return Number(await forged()) >= count + 20;
    }, "the server refuses them");
    const after = await statusOf(cluster.server(1));
    expect(after.coordinator).toBe(before.coordinator);
    expect(after.epoch).toEqual(before.epoch);
    expect(clockOf(after)).toBeLessThan(900_000_000);
    expect(logOf(cluster, cluster.server(1))).toMatch(
      new RegExp(`A message of ${name} was dropped, its secret differs: copy .*secret from`),
    );
  });

  test("replayed messages of a hanging member do not make this member live, even after their receiver has restarted", async (context) => {
    context.skip(LocalCluster.hasEngine, noHeartbeats);
    const [first, second] = [cluster.server(1), cluster.server(2)];
    const name = nameOf(second);
    const recorded = await record(cluster.endpoints.proxy, name, 20);
    second.signal("SIGSTOP");
    try {
      using socket = new Publishing(cluster.endpoints.proxyIn);
      const replay = async () => {
        for (const frames of recorded) await socket.send(frames);
      };
      const isLive = async () => {
        const { members } = await statusOf(first);
        return members.find((one) => one.name === name)?.live === true;
      };
      await until(async () => {
        await replay();
        return !(await isLive());
      }, "it is missed, though it is replayed");
      const ready = first.nextReady();
      first.signal("SIGKILL");
      await ready;
      const stale = async () => (await statusOf(first)).refused?.stale ?? 0;
      await until(async () => {
        await replay();
        return (await stale()) >= 20;
      }, "the server refuses what it had heard before its restart");
      expect(await isLive()).toBe(false);
    } finally {
      second.signal("SIGCONT");
    }
  });
});

describe("[P6] a coordinator's announcement on `servers`", { timeout: 60_000 }, () => {
  test("a coordinator's announcement has two frames and the fields of the original protocol", async (context) => {
    context.skip(LocalCluster.hasEngine, "servers with an engine elect nobody");
    const socket = new Subscriber({ linger: 0 });
    socket.connect(cluster.endpoints.proxy);
    socket.subscribe("servers", "replication");
    let announced: Buffer[] = [];
    let others = 0;
    const hearing = (async () => {
      for await (const frames of socket) {
        if (String(frames[0]) === "servers") announced = frames;
        else others += 1;
      }
    })();
    await until(() => others > 0, "it hears the servers");
    let leader: Child | undefined;
    await until(async () => {
      const { coordinator } = await statusOf(cluster.server(1));
      leader = cluster.of("server").find((child) => nameOf(child) === coordinator);
      return leader !== undefined;
    }, "there is a coordinator");
    announced = [];
    const ready = leader?.nextReady();
    leader?.signal("SIGKILL");
    await until(() => announced.length > 0, "the next one announces itself");
    await ready;
    socket.close();
    await hearing;
    const [topic, payload] = announced as [Buffer, Buffer];
    expect(announced).toHaveLength(2);
    expect(String(topic)).toBe("servers");
    const { service, data } = decode(payload) as { service: string; data: Fields };
    expect(service).toBe("election");
    expect(cluster.of("server").map(nameOf)).toContain(data.coordinator);
    expect(data).toMatchObject({ timestamp: expect.any(String), clock: expect.any(Number) });
  });
});

describe("[X1] the peer link", { timeout: 60_000 }, () => {
  const asker = "server_0a5c0a5c";

  test("the peer link answers a member's sealed request only once, even after a restart, and answers no unsealed request except health", async () => {
    const server = cluster.server(1);
    const address = await addressOf(server);
    const status = await statusOf(server);
    const summary = { server: asker, clock: 1, view: status.view, durable: {} };
    const payload = encode({ service: "sync", data: summary });
    const seals = sealsOf(asker, "peer", { clock: clockOf(status) + 1_000 });
    expect(await say(address, [payload])).toBeUndefined();
    const stranger = sealsOf(asker, "peer", { secret: "the secret of somebody else" });
    expect(await say(address, [payload, stranger.seal(nameOf(server), payload)])).toBeUndefined();
    const other = nameOf(cluster.server(2));
    expect(await say(address, [payload, seals.seal(other, payload)])).toBeUndefined();
    const health = await say(address, [encode({ service: "health", data: {} })]);
    expect(decode(health as Buffer)).toMatchObject({ data: { role: "server", ready: true } });

    const frames = [payload, seals.seal(nameOf(server), payload)];
    if (LocalCluster.hasEngine) {
      // Other servers ask nothing of a server with an engine.
      expect(await say(address, frames)).toBeUndefined();
      return;
    }
    const answer = await say(address, frames, 5_000);
    expect(decode(answer as Buffer)).toMatchObject({ service: "sync" });
    expect(await say(address, frames, 5_000)).toHaveLength(0);
    const ready = server.nextReady();
    server.signal("SIGKILL");
    await ready;
    const now = await addressOf(server);
    await until(async () => (await say(now, frames))?.length === 0, "it answers, and with nothing");
  });
});

/** A PUB socket that is allowed to connect to the proxy's end for servers. */
class Publishing implements Disposable {
  readonly #socket = new Publisher({ linger: 0 });

  constructor(endpoint: string) {
    connect(this.#socket, [withinTheDoor(cluster.folder, endpoint)]);
  }

  send(frames: Uint8Array[] | (string | Uint8Array)[]): Promise<void> {
    return this.#socket.send(frames);
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/** Returns the frames of the next `count` messages of a server on `replication`. */
async function record(endpoint: string, server: string, count: number): Promise<Buffer[][]> {
  const socket = new Subscriber();
  socket.connect(endpoint);
  socket.subscribe("replication");
  const recorded: Buffer[][] = [];
  for await (const frames of socket) {
    if ((decode(frames[1] as Buffer) as Fields).server === server) recorded.push(frames);
    if (recorded.length === count) break;
  }
  socket.close();
  return recorded;
}
