import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { Publisher } from "zeromq";
import type { ConnectionOptions } from "../../src/client/connection.ts";
import type { SessionOptions } from "../../src/client/session.ts";
import { encode } from "../../src/protocol/codec.ts";
import {
  parseChannelName,
  parseUserName,
  type RequestId,
  type UserName,
} from "../../src/protocol/ids.ts";
import { limits } from "../../src/protocol/limits.ts";
import { readNames } from "../../src/server/core/chat/names.ts";
import { type Asked, clientWires } from "../support/client-wires.ts";
import { until } from "../support/until.ts";

const wires = clientWires();

const place = { server: "server_00000001", seq: 7, clock: 1 };
const entry = { ...place, id: "a", timestamp: "", durable: [] };

describe("requests of the client library", () => {
  test("[C1] a client sends 500 requests made at once in fewer than 50 payloads", async () => {
    const made = await wires();
    const client = made.session();
    await Promise.all(Array.from({ length: 500 }, () => client.ask("users", {})));
    expect(made.asked).toHaveLength(500);
    expect(made.payloads.length).toBeLessThan(50);
  });

  test("[W2] a client reads a list page by page, and checks with one request whether a user exists", async () => {
    const made = await wires();
    const sorted = Array.from({ length: 25 }, (_, at) => `name${String(at).padStart(2, "0")}`);
    made.answer = ({ service, data }) => {
      const room = { bytes: limits.replyBytes };
      const query = { limit: 10, ...data };
      const options = { room, copies: 1, isShown: () => true };
      const { names, next } = readNames(sorted, query, options);
      return { status: "OK", [service]: names, next };
    };
    const client = made.session();
    expect(await client.users()).toEqual(sorted);
    expect(await client.channels()).toEqual(sorted);
    expect(made.asked).toHaveLength(6);
    expect(await client.knowsUser("name07" as UserName)).toBe(true);
    expect(await client.knowsUser("name" as UserName)).toBe(false);
    expect(made.asked).toHaveLength(8);
  });

  test("[W2] a client stops reading a list when a page has the same `next` as the previous page", async () => {
    const made = await wires();
    made.answer = () => ({ status: "OK", users: ["a"], next: "a" });
    expect(await made.session().users()).toEqual(["a", "a"]);
  });

  test("[C2] a client repeats an unanswered request with the same id until it gets an answer", async () => {
    const made = await wires();
    made.answer = () => (made.asked.length < 2 ? undefined : { status: "OK" });
    const connection = made.connection();
    await connection.session().ask("users", {});
    expect(new Set(made.asked.map(({ data }) => data.id)).size).toBe(1);
    expect(connection.retried).toBe(1);
  });

  test("[C2] [C4] if a refusal may be retried, a client repeats the request until the deadline, and then throws the code of the refusal", async () => {
    const made = await wires();
    made.answer = () => ({ status: "erro", code: "behind", description: "No.", retry: true });
    const client = made.session({ deadlineMs: 400 });
    await expect(client.ask("users", {})).rejects.toMatchObject({ code: "behind", retry: true });
    expect(made.asked.length).toBeGreaterThan(1);
  });

  test("[C2] [R6] a client does not repeat a write if a server refuses the write because another request has the same id", async () => {
    const made = await wires();
    made.answer = () => ({ status: "erro", code: "id_reused", description: "No.", retry: false });
    const publishing = made
      .session({ user: parseUserName("ana") })
      .publish(parseChannelName("geral"), "x", { id: "1" as RequestId });
    await expect(publishing).rejects.toMatchObject({ code: "id_reused", retry: false });
    expect(made.asked).toHaveLength(1);
  });

  test("[W17] no two sessions make the same request id", async () => {
    const made = await wires();
    const ids = Array.from({ length: 20 }, () => {
      const client = made.session();
      return [client.newId(), client.newId()];
    }).flat();
    expect(new Set(ids).size).toBe(40);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{16}-[12]$/);
  });

  test("[C2] a client that sent too many requests waits as long as the server says, or fails if the request's deadline is sooner", async () => {
    const made = await wires();
    const slower = (wait: number) => {
      return { status: "erro", code: "rate_limited", description: "Slower.", retry: true, wait };
    };
    const askedMs: number[] = [];
    made.answer = () => {
      askedMs.push(performance.now());
      return askedMs.length < 2 ? slower(0.3) : { status: "OK" };
    };
    const client = made.session({ deadlineMs: 5_000 });
    await client.ask("users", {});
    const [first = 0, second = 0] = askedMs;
    expect(second - first).toBeGreaterThanOrEqual(300);
    made.answer = () => slower(6);
    const startMs = performance.now();
    await expect(client.ask("users", {})).rejects.toMatchObject({ code: "rate_limited", wait: 6 });
    expect(performance.now() - startMs).toBeLessThan(4_000);
  });

  test("[R9] a session's requests carry `after` only when the session has seen an event", async () => {
    const made = await wires();
    made.answer = ({ service }) =>
      service === "publish" ? { status: "OK", entry } : { status: "OK" };
    const client = made.session({ user: parseUserName("ana") });
    await client.ask("users", {});
    await client.publish(parseChannelName("geral"), "oi");
    await client.ask("users", {});
    const said = made.asked.map(({ data }) => data.after ?? undefined);
    expect(said).toEqual([undefined, undefined, { server_00000001: 7 }]);
  });

  test("[L11] a session reports presence for the user of its log-in or token, each time with the same client id", async () => {
    const made = await wires();
    const present = [{ user: "ana", state: "online" }];
    made.answer = ({ service }) =>
      service === "login"
        ? { status: "sucesso", entry }
        : { status: "OK", present: [...present, { user: "bia", state: "odd" }, 7] };
    const payload = Buffer.from(JSON.stringify({ sub: "bia" })).toString("base64url");
    const [ana, bia] = [made.session(), made.session({ token: `x.${payload}.x` })];
    await ana.login(parseUserName("ana"));
    expect(await ana.presence("online")).toEqual(present);
    await ana.presence("away");
    await bia.presence("gone");
    const [first, second, third] = made.asked.slice(1).map(({ data }) => data);
    expect(first).toMatchObject({ user: "ana", state: "online" });
    expect(second).toMatchObject({ user: "ana", state: "away", client: first?.client });
    expect(third).toMatchObject({ user: "bia", state: "gone" });
    expect(third?.client).not.toBe(first?.client);
  });

  test("[C4] if a refusal may not be retried, a client throws the code of the refusal and does not repeat the request", async () => {
    const made = await wires();
    made.answer = () => ({ status: "erro", code: "forbidden", description: "No.", retry: false });
    await expect(made.session().ask("users", {})).rejects.toMatchObject({ code: "forbidden" });
    expect(made.asked).toHaveLength(1);
  });

  test("[C4] a client throws too_large for a text that is longer than any server accepts, and sends nothing", async () => {
    const made = await wires();
    const long = "x".repeat(70_000);
    const sending = made
      .session({ user: parseUserName("ana") })
      .publish(parseChannelName("geral"), long);
    await expect(sending).rejects.toMatchObject({ code: "too_large" });
    expect(made.asked).toHaveLength(0);
  });

  test("[C4] when a client closes, its open requests and subscriptions fail with unavailable, and so does each later request", async () => {
    const made = await wires();
    made.answer = () => undefined;
    const client = made.session();
    const waiting = client.ask("users", {});
    const subscribing = client.subscribe({ channel: "geral" as never }, () => {});
    const both = Promise.allSettled([waiting, subscribing]);
    await until(() => made.asked.length > 0, "it was asked");
    client.close();
    for (const result of await both) {
      expect(result).toMatchObject({ status: "rejected", reason: { code: "unavailable" } });
    }
    await expect(client.ask("users", {})).rejects.toMatchObject({ code: "unavailable" });
  });
});

describe("an unencrypted publication that is forged at a proxy", () => {
  const channel = "geral" as never;
  const server = "server_00000001";

  /**
   * Starts a client that subscribes to a channel. The returned `publish` sends forged entries to
   * this client through the proxy.
   */
  async function listening(options: Partial<ConnectionOptions> & SessionOptions = {}) {
    const made = await wires();
    // A server's reply repeats the `since` of the request (H5).
    made.answer = ({ data }) => ({
      status: "OK",
      entries: [],
      seen: data.since ?? { [server]: 3 },
    });
    const proxy = await made.proxy();
    const client = made.session({ proxies: [proxy.back], ...options });
    const heard: string[] = [];
    await client.subscribe({ channel }, ({ message }) => heard.push(message));
    const socket = new Publisher({ linger: 0 });
    socket.connect(proxy.front);
    made.use(socket);
    const lie = { channel, user: "ana", message: "forged", timestamp: "2026-01-01T00:00:00.000Z" };
    const publish = (place: { seq: number; prev: number; clock: number }) =>
      socket.send(["#geral\0", encode([{ ...lie, ...place, server, id: `${place.seq}` }])]);
    const looks = () => made.asked.filter(({ data }) => "since" in data).length;
    return { made, client, heard, publish, looks };
  }

  test.each([
    { why: "that names an invented previous entry", prev: 2 ** 39, delivered: false },
    { why: "that names no previous entry", prev: 0, delivered: true },
  ])(
    "[C6] [R9] the client's vector and clock do not rise to the values of a forged entry $why",
    async ({ prev, delivered }) => {
      const { made, client, heard, publish, looks } = await listening();
      const far = 2 ** 40;
      const before = looks();
      await until(async () => {
        await publish({ seq: far, prev, clock: 2 ** 50 });
        return delivered ? heard.length > 0 : looks() > before + 1;
      }, "it came");
      await client.history({ channel }, { since: { [server]: far } as never });
      await client.ask("users", {});
      const { data } = made.asked.at(-1) as Asked;
      expect(data.after).toEqual({ [server]: 3 });
      expect(data.clock).toBeLessThan(1_000_000);
    },
  );

  test("[C3] when unencrypted entries arrive, a client with a token delivers none of them and reads the history at most once a second", async () => {
    const { heard, publish, looks } = await listening({ token: "of a session" });
    await until(async () => {
      await publish({ seq: 4, prev: 3, clock: 4 });
      return looks() > 1;
    }, "it came");
    const [before, startMs] = [looks(), performance.now()];
    let sent = 0;
    while (performance.now() - startMs < 1_500) {
      await publish({ seq: 4, prev: 3, clock: 4 });
      sent += 1;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(sent).toBeGreaterThan(100);
    expect(looks() - before).toBeLessThanOrEqual(3);
    expect(heard).toEqual([]);
  });
});

describe("the state of the connection", () => {
  /** Starts a TCP server that accepts connections and closes them at once. */
  async function deaf(): Promise<{ endpoint: string; dropped: () => number }> {
    let dropped = 0;
    const server: Server = createServer((socket: Socket) => {
      dropped += 1;
      socket.destroy();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    return { endpoint: `tcp://127.0.0.1:${port}`, dropped: () => dropped };
  }

  test("[C4] a client reports the state connected even if one of its two brokers can't be reached", async () => {
    const made = await wires();
    const { endpoint, dropped } = await deaf();
    const states: string[] = [];
    const client = made.session({
      brokers: [made.endpoint, endpoint],
      onState: (state) => states.push(state),
    });
    await client.ask("users", {});
    await until(() => dropped() > 3, "the other was tried several times");
    expect(states).toEqual(["connected"]);
    expect(client.connection.state).toBe("connected");
  });
});
