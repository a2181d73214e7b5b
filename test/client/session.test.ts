import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Secret } from "../../src/platform/secret.ts";
import { encode } from "../../src/protocol/codec.ts";
import { parseChannelName, parseUserName, type RequestId } from "../../src/protocol/ids.ts";
import { limits } from "../../src/protocol/limits.ts";
import { dayOf } from "../../src/protocol/sealed.ts";
import { userTopic } from "../../src/protocol/topics.ts";
import { TopicKeys } from "../../src/server/topic-keys.ts";
import { clientWires } from "../support/client-wires.ts";
import { StandInCluster, standInChannel, standInTopic } from "../support/stand-in-cluster.ts";

const wires = clientWires();
const [ana, bia] = [parseUserName("ana"), parseUserName("bia")];
const geral = parseChannelName("geral");

/** An unsigned token, because a client has no key to check signatures with. */
function tokenOf(user: string, rest = ""): string {
  return `x.${Buffer.from(JSON.stringify({ sub: user })).toString("base64url")}.${rest}`;
}

describe("sessions on one connection", () => {
  test("[W6] [R9] each session on a shared connection sends its own token and its own `after`", async () => {
    const made = await wires();
    const seqs: Record<string, number> = { ana: 3, bia: 5 };
    made.answer = ({ service, data }) => {
      const place = { server: "server_00000001", seq: seqs[String(data.user)], clock: 1 };
      const entry = { ...place, id: data.id, timestamp: "", durable: [] };
      return service === "publish" ? { status: "OK", entry } : { status: "OK" };
    };
    const connection = made.connection();
    const tokens = [tokenOf("ana"), tokenOf("bia")];
    const sessions = tokens.map((token) => connection.session({ token }));
    await Promise.all(sessions.map((session) => session.publish(geral, "olá")));
    await Promise.all(sessions.map((session) => session.ask("users", {})));
    expect(made.payloads.at(-1)).toMatchObject([
      { data: { token: tokens[0], after: { server_00000001: 3 } } },
      { data: { token: tokens[1], after: { server_00000001: 5 } } },
    ]);
  });

  test("[R9] [D8] a session that is told that a name is taken asks servers for that account from then on", async () => {
    const made = await wires();
    made.answer = ({ service }) =>
      service === "register"
        ? { status: "erro", code: "name_taken", retry: false, slot: 7 }
        : { status: "OK", slot: 3, time: "now", users: [] };
    const session = made.connection().session();
    await expect(session.register(ana, "hers")).rejects.toMatchObject({ code: "name_taken" });
    await session.ask("users", {});
    expect(made.asked.map(({ service, data }) => [service, data.sinceSlot, data.after])).toEqual([
      ["time", undefined, undefined],
      ["register", 3, undefined],
      ["users", undefined, { slot: 7 }],
    ]);
  });

  test("[D9] an operation names the slot that the session knows when it is sent, however long before that it was asked for", async () => {
    const made = await wires();
    let slot = 0;
    made.answer = ({ service }) => {
      if (service === "register") slot += 1;
      return { status: "OK", slot, time: "now" };
    };
    const session = made.connection().session();
    const users = Array.from({ length: 40 }, (_, at) => parseUserName(`user${at}`));
    await Promise.all(users.map((user) => session.register(user, "hers")));
    const registers = made.asked.filter(({ service }) => service === "register");
    const behind = registers.map(({ data }, at) => at - (data.sinceSlot as number));
    expect(behind).toHaveLength(40);
    expect(Math.max(...behind)).toBeLessThanOrEqual(limits.operationsAhead);
  });

  test("[D9] a program that asks for an operation again, with its own id, gets the slot of the first time", async () => {
    const made = await wires();
    let slot = 0;
    made.answer = () => {
      slot += 1;
      return { status: "OK", slot, time: "now", users: [] };
    };
    const session = made.connection().session({ token: tokenOf("ana") });
    const lock = (id: string) =>
      session.ask("account", { user: bia, locked: true }, { id: id as RequestId });
    await lock("1");
    for (let count = 2; count <= 30; count += 1) await lock(String(count));
    await lock("1");
    const asked = made.asked.filter(({ service }) => service === "account");
    expect([asked[0]?.data.sinceSlot, asked.at(-1)?.data.sinceSlot]).toEqual([1, 1]);
    expect(asked.at(-2)?.data.sinceSlot).toBe(30);
  });

  test("[A2] a log-in in one session does not change the token or user of another session on the same connection", async () => {
    const made = await wires();
    const place = { server: "server_00000001", seq: 1, clock: 1 };
    const entry = { ...place, id: "1", timestamp: "", durable: [] };
    made.answer = ({ service, data }) =>
      service === "login" ? { entry, token: tokenOf(String(data.user), "new") } : { status: "OK" };
    const connection = made.connection();
    const told: string[] = [];
    const onToken = (token: string) => told.push(token);
    const first = connection.session({ token: tokenOf("ana"), onToken });
    const second = connection.session();
    await second.login(bia, "hers");
    await Promise.all([first.ask("users", {}), second.ask("users", {})]);
    const said = made.asked.slice(-2).map(({ data }) => data.token);
    expect(said).toEqual([tokenOf("ana"), tokenOf("bia", "new")]);
    expect(told).toEqual([]);
    expect([first.user, second.user]).toEqual(["ana", "bia"]);
  });

  test("[W17] sessions on one connection that use the same id at the same time each get their own answer", async () => {
    const made = await wires();
    made.answer = ({ data }) => {
      const place = { server: "server_00000001", seq: data.user === "ana" ? 1 : 2, clock: 1 };
      return { status: "OK", entry: { ...place, id: data.id, timestamp: "", durable: [] } };
    };
    const connection = made.connection();
    const id = "order-17" as RequestId;
    const asked = [ana, bia, ana].map((user) => connection.session({ user }));
    const receipts = asked.map((session) => session.publish(geral, "olá", { id }));
    expect((await Promise.all(receipts)).map(({ seq }) => seq)).toEqual([1, 2, 1]);
    for (const payload of made.payloads) expect(payload).not.toBeInstanceOf(Array);
  });

  test("[L11] two sessions of one user report presence as two clients", async () => {
    const made = await wires();
    made.answer = () => ({ status: "OK", present: [] });
    const connection = made.connection();
    for (const session of [connection.session({ user: ana }), connection.session({ user: ana })]) {
      await session.presence("online");
    }
    const [first, second] = made.asked.map(({ data }) => data);
    expect(first?.user).toBe(second?.user);
    expect(first?.client).not.toBe(second?.client);
  });

  test("[C4] when a session closes, its requests fail, and other sessions on the connection get their answers", async () => {
    const made = await wires();
    made.answer = ({ data }) => (data.prefix === "slow" ? undefined : { status: "OK" });
    const connection = made.connection();
    const [first, second] = [connection.session(), connection.session()];
    const [lost, kept] = [first.ask("users", { prefix: "slow" }), second.ask("users", {})];
    first.close();
    await expect(lost).rejects.toMatchObject({ code: "unavailable" });
    await expect(first.ask("users", {})).rejects.toMatchObject({ code: "unavailable" });
    await expect(first.subscribe({ channel: geral }, () => {})).rejects.toMatchObject({
      code: "unavailable",
    });
    await expect(kept).resolves.toBeDefined();
    await expect(second.ask("users", {})).resolves.toBeDefined();
    expect(connection.open).toBe(0);
  });
});

describe("sessions on one connection, in virtual time", () => {
  beforeEach(() => {
    const timers = ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] as const;
    vi.useFakeTimers({ toFake: [...timers, "performance"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const hear = (heard: string[]) => (entry: { readonly message: string }) => {
    heard.push(entry.message);
  };

  test("[C3] two sessions share one subscription at the proxy, and the subscription ends when the second session leaves", async () => {
    using cluster = new StandInCluster();
    const sessions = [cluster.session(), cluster.session()];
    const heard = sessions.map(() => [] as string[]);
    const subscribing = sessions.map((session, at) =>
      session.subscribe(standInChannel, hear(heard[at] ?? [])),
    );
    await vi.advanceTimersByTimeAsync(100);
    await Promise.all(subscribing);
    cluster.say("to both");
    sessions[0]?.unsubscribe(standInChannel);
    cluster.say("to one", 2);
    expect(cluster.wire).toEqual([`+${standInTopic}`]);
    sessions[1]?.close();
    expect(cluster.wire).toEqual([`+${standInTopic}`, `-${standInTopic}`]);
    cluster.say("to nobody");
    expect(heard).toEqual([["to both"], ["to both", "to one"]]);
  });

  test("[C3] a session can't change the copy of an entry that another session receives", async () => {
    using cluster = new StandInCluster();
    const sessions = [cluster.session(), cluster.session()];
    const heard: { message: string }[] = [];
    const spoil = (entry: { message: string }) => {
      heard.push({ ...entry });
      entry.message = "spoilt";
    };
    for (const session of sessions) {
      void session.subscribe(standInChannel, spoil as never);
      await vi.advanceTimersByTimeAsync(100);
    }
    cluster.say("olá");
    expect(heard.map(({ message }) => message)).toEqual(["olá", "olá"]);
  });

  test("[C4] a session whose reads are refused reports this once, and another session on the connection gets messages", async () => {
    using cluster = new StandInCluster();
    const locked = new Set<unknown>();
    cluster.answer = ({ data }) => {
      const refusal = { status: "erro", code: "forbidden", description: "Locked.", retry: false };
      return locked.has(data.token) ? refusal : undefined;
    };
    const tokens = [tokenOf("ana"), tokenOf("bia")];
    const refused: string[][] = [[], []];
    const heard: string[][] = [[], []];
    for (const [at, token] of tokens.entries()) {
      const onRefused = ({ code }: { code: string }) => refused[at]?.push(code);
      const session = cluster.session({ token, onRefused: onRefused as never });
      void session.subscribe(standInChannel, hear(heard[at] ?? []));
      await vi.advanceTimersByTimeAsync(100);
    }
    locked.add(tokens[0]);
    // The publication is unencrypted, so the sessions read the history.
    cluster.say("after the lock");
    await vi.advanceTimersByTimeAsync(3_000);
    expect(heard).toEqual([[], ["after the lock"]]);
    expect(refused).toEqual([["forbidden"], []]);
  });

  test("[X5] a session can't decrypt another user's private messages with the key that the server gave to that user", async () => {
    using cluster = new StandInCluster();
    const text = "the secret of the cluster";
    const source = { text, path: "", isDefault: true, cluster: "tertulia" };
    const servers = new TopicKeys(new Secret(text, source));
    const topic = userTopic(ana);
    const day = dayOf(Date.now());
    const refusal = { status: "erro", code: "forbidden", description: "No.", retry: false };
    cluster.answer = ({ service, data }) => {
      if (service !== "keys") return { entries: [], seen: {} };
      // The server gives ana's key to ana alone, although mallory may subscribe to the topic.
      if (data.token !== tokenOf("ana")) return refusal;
      const key = servers.key({ topic, day, version: "" }).toString("base64url");
      return { keys: { [topic]: [{ day, key }] }, publisher: servers.publisher };
    };
    const place = { server: "server_00000001", seq: 1, prev: 0, clock: 1, id: "1" };
    const said = { src: "bia", dst: "ana", message: "a secret of two", timestamp: "" };
    const plain = Buffer.from(encode([{ ...said, ...place }]));
    const heard: Record<string, string[]> = { ana: [], mallory: [] };
    for (const user of ["ana", "mallory"]) {
      const session = cluster.session({ token: tokenOf(user) });
      void session.subscribe({ user: ana }, hear(heard[user] ?? []));
    }
    await vi.advanceTimersByTimeAsync(100);
    const publish = () =>
      cluster.deliver(topic, servers.sealPublication({ topic, version: "", plain }, Date.now()));
    for (let turn = 0; turn < 3; turn += 1) {
      publish();
      await vi.advanceTimersByTimeAsync(1_500);
    }
    expect(heard).toEqual({ ana: ["a secret of two"], mallory: [] });
  });

  test("[X5] when another user logs in, a session drops the earlier user's topic keys and asks for new ones", async () => {
    using cluster = new StandInCluster();
    const entry = { server: "server_00000001", seq: 1, clock: 1, id: "1", timestamp: "" };
    const asked: unknown[] = [];
    cluster.answer = ({ service, data }) => {
      if (service === "login") return { entry: { ...entry, durable: [] }, token: tokenOf("bia") };
      if (service === "keys") {
        asked.push(data.token);
        return { keys: { [standInTopic]: [] } };
      }
      return undefined;
    };
    const session = cluster.session({ token: tokenOf("ana") });
    void session.subscribe(standInChannel, () => {});
    await vi.advanceTimersByTimeAsync(100);
    const sealed = Buffer.concat([Buffer.from([0xc1, 0, 0, 0, 1]), Buffer.alloc(100)]);
    cluster.deliver(standInTopic, sealed);
    await vi.advanceTimersByTimeAsync(100);
    void session.login(bia, "hers");
    await vi.advanceTimersByTimeAsync(100);
    // One user's keyring asks at most once a second. The new user's keyring asks at once.
    cluster.deliver(standInTopic, sealed);
    await vi.advanceTimersByTimeAsync(100);
    expect(asked).toEqual([tokenOf("ana"), tokenOf("bia")]);
  });

  test("[C3] ten thousand sessions on one connection use one subscription and one timer, and read the history in turn", async () => {
    using cluster = new StandInCluster();
    const before = vi.getTimerCount();
    const heard: string[] = [];
    const sessions = Array.from({ length: 10_000 }, () => cluster.session());
    for (const session of sessions) void session.subscribe(standInChannel, hear(heard));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(vi.getTimerCount()).toBe(before);
    expect(cluster.wire).toEqual([`+${standInTopic}`]);
    cluster.say("to all");
    expect(heard).toHaveLength(10_000);
    const asked = cluster.asked.length;
    await vi.advanceTimersByTimeAsync(4_000);
    expect(cluster.asked.length - asked).toBe(1);
    cluster.say("lost", 0);
    // One session finds the message; the others fetch it 50 at a time.
    await vi.advanceTimersByTimeAsync(45_000);
    expect(heard).toHaveLength(20_000);
    for (const session of sessions) session.close();
    expect(cluster.isWanted(standInTopic)).toBe(false);
  }, 60_000);
});
