import { describe, expect, test } from "vitest";
import { closeCodes } from "../../src/gateway/live/live-socket.ts";
import { parseUserName } from "../../src/protocol/ids.ts";
import { limits } from "../../src/protocol/limits.ts";
import { type Frame, LiveClient } from "../support/live-client.ts";
import { until } from "../support/until.ts";
import { geral, liveScene, passwordOf } from "./live-scene.ts";

const scene = liveScene({ auth: "required" });

const subscribe = { type: "subscribe", conversation: "#geral" };
let ids = 0;

/** A frame that writes a text, with a new id. */
function saying(message: string, conversation = "#geral") {
  ids += 1;
  return { type: "publish", conversation, message, id: `live-${ids}` };
}

describe("a WebSocket", { timeout: 30_000 }, () => {
  test("[G21] a client connects, subscribes, writes and reports its presence with JSON frames", async () => {
    using ana = new LiveClient(scene.first);
    await until(() => ana.socket.readyState === ana.socket.OPEN, "open");
    const connected = (await ana.ask({
      type: "connect",
      token: await scene.token("ana"),
    })) as Frame<"connected">;
    expect(connected).toMatchObject({ type: "connected", user: "ana", ping: 25 });
    expect(Date.parse(connected.time)).toBeGreaterThan(0);
    expect(connected.limits).toEqual({
      subscriptions: 250,
      open: 256,
      frameBytes: limits.requestBytes,
      unsentBytes: 1_048_576,
    });
    expect(await ana.ask(subscribe)).toMatchObject({ type: "caught_up", conversation: "#geral" });
    expect(ana.of("subscribed")).toMatchObject([{ conversation: "#geral", recovered: true }]);
    const receipt = await ana.ask(saying("from ana"));
    expect(receipt).toMatchObject({ type: "receipt", entry: { seq: expect.any(Number) } });
    await until(() => ana.texts.includes("from ana"), "her own message comes");
    const [message] = ana.of("message");
    expect(message).toMatchObject({ conversation: "#geral", entry: { user: "ana" } });
    expect(await ana.ask({ type: "presence", state: "online" })).toMatchObject({
      type: "present",
      present: [{ user: "ana" }],
    });
    expect(await ana.ask({ type: "unsubscribe", conversation: "#geral" })).toMatchObject({
      type: "unsubscribed",
    });
    await ana.ask(saying("not heard"));
    expect(ana.texts).toEqual(["from ana"]);
  });

  test("[G21] a private message reaches the sockets of both users, and no other user can subscribe to them", async () => {
    using ana = await scene.open(scene.first, "ana");
    using bea = await scene.open(scene.second, "bea");
    await ana.ask({ type: "subscribe", conversation: "@ana" });
    await bea.ask({ type: "subscribe", conversation: "@bea" });
    const forbidden = await bea.ask({ type: "subscribe", conversation: "@ana" });
    expect(forbidden).toMatchObject({ type: "error", code: "forbidden", retry: false });
    await ana.ask(saying("only for bea", "@bea"));
    for (const client of [ana, bea]) {
      await until(() => client.texts.includes("only for bea"), "both hear it");
    }
  });

  test("[G4] a frame `publish` that is repeated at another gateway takes effect once", async () => {
    using ana = await scene.open(scene.first, "ana");
    using again = await scene.open(scene.second, "ana");
    await again.ask(subscribe);
    const frame = saying("once");
    const [one, other] = [await ana.ask(frame), await again.ask(frame)] as Frame<"receipt">[];
    expect(other?.entry.seq).toBe(one?.entry.seq);
    await again.ask(saying("after once"));
    await until(() => again.texts.length >= 2, "both messages come");
    // Messages of different servers may come in any order.
    expect(again.texts.toSorted()).toEqual(["after once", "once"]);
  });

  test("[G21] errors of frames name what is wrong, and the socket goes on", async () => {
    using ana = await scene.open(scene.first, "ana");
    const errorOf = async (frame: object) => ((await ana.ask(frame)) as Frame<"error">).code;
    expect(await errorOf({ type: "shout" })).toBe("bad_request");
    expect(await errorOf({ type: "subscribe", conversation: "#nowhere" })).toBe(
      "channel_not_found",
    );
    expect(await errorOf({ ...subscribe, position: "no position" })).toBe("bad_request");
    expect(await errorOf({ type: "connect", token: "another" })).toBe("bad_request");
    await ana.ask(subscribe);
    expect(await errorOf(subscribe)).toBe("bad_request");
    expect(await errorOf(saying("x".repeat(limits.messageCharacters + 1)))).toBe("too_large");
    // The failed subscription leaves no trace.
    expect(await errorOf({ type: "subscribe", conversation: "#nowhere" })).toBe(
      "channel_not_found",
    );
    expect(await ana.ask(saying("goes on"))).toMatchObject({ type: "receipt" });
  });

  test("[G20] a subscription that the client takes back before it has begun does not begin", async () => {
    using ana = await scene.open(scene.first, "ana");
    const begun = ana.ask(subscribe);
    const ended = ana.ask({ type: "unsubscribe", conversation: "#geral" });
    const again = ana.ask(subscribe);
    expect(await begun).toMatchObject({ type: "error", code: "bad_request" });
    expect(await ended).toMatchObject({ type: "unsubscribed" });
    expect(await again).toMatchObject({ type: "caught_up" });
    await ana.ask(saying("heard once"));
    await until(() => ana.texts.includes("heard once"), "the second subscription hears");
    expect(ana.texts).toEqual(["heard once"]);
  });

  test("[G20] each message's position continues after this message, at another gateway, also in the middle of the last messages", async () => {
    using ana = await scene.open(scene.first, "ana");
    const said = Array.from({ length: 20 }, (_, number) => `message ${number}`);
    for (const text of said) await ana.ask(saying(text));
    await ana.ask({ ...subscribe, last: said.length });
    expect(ana.texts).toEqual(said);
    for (const cut of [1, 7, 19]) {
      const { position } = ana.of("message")[cut] as Frame<"message">;
      using resumed = await scene.open(scene.second, "ana");
      const caughtUp = await resumed.ask({ ...subscribe, position });
      expect(resumed.of("subscribed")).toMatchObject([{ recovered: true }]);
      expect(resumed.texts).toEqual(said.slice(cut + 1));
      using none = await scene.open(scene.first, "ana");
      await none.ask({ ...subscribe, position: (caughtUp as Frame<"caught_up">).position });
      expect(none.texts).toEqual([]);
    }
  });
});

describe("the presence of a client", { timeout: 60_000 }, () => {
  /** Waits until all servers report this presence of ana; requests go to the servers in turn. */
  async function shows(state: "online" | "gone"): Promise<void> {
    const bea = await scene.enter("bea");
    const isShown = async () => {
      const turns = [1, 2, 3].map(() => bea.presence("away"));
      const lists = await Promise.all(turns);
      const found = lists.map((list) => list.find(({ user }) => user === "ana")?.state ?? "gone");
      return found.every((one) => one === state);
    };
    await until(isShown, `ana is ${state}`, 5_000);
  }

  test("[G21] a person whose last WebSocket closes is gone within seconds, and a second one keeps them online", async () => {
    using first = await scene.open(scene.first, "ana");
    using second = await scene.open(scene.second, "ana");
    for (const tab of [first, second]) await tab.ask({ type: "presence", state: "online" });
    await shows("online");
    first.socket.terminate();
    await until(() => first.closed !== undefined, "the first is closed");
    await shows("online");
    second.socket.close();
    await shows("gone");
  });
});

describe("a WebSocket of a gateway that can't serve", { timeout: 60_000 }, () => {
  test("[G22] a client learns within 3 s that its gateway can't serve, keeps its connection and subscriptions, and learns when it can again", async () => {
    using ana = await scene.open(scene.first, "ana");
    await ana.ask(subscribe);
    {
      using _hanging = scene.cluster.withoutQuorum();
      await until(() => ana.of("unready").length > 0, "unready", 3_000);
    }
    expect(ana.of("unready")[0]?.reason).toMatch(/no quorum|no server answers/);
    await until(() => ana.frames.at(-1)?.type === "ready", "ready", 30_000);
    expect(await ana.ask(saying("after the pause"))).toMatchObject({ type: "receipt" });
    await until(() => ana.texts.includes("after the pause"), "the subscription goes on");
    expect(ana.closed).toBeUndefined();
  });
});

describe("a WebSocket that is refused or closed", { timeout: 30_000 }, () => {
  test("[G24] a page of another site can't open a socket, whatever credentials it has", async () => {
    const token = await scene.token("ana");
    const cookie = `tertulia=${token}`;
    const origin = "https://evil.example";
    for (const options of [{ headers: { cookie, origin } }, { token, headers: { origin } }]) {
      using foreign = new LiveClient(scene.first, options);
      await until(() => foreign.refusal !== undefined, "refused");
      expect(foreign.refusal).toBe(403);
    }
    using own = new LiveClient(scene.first, { headers: { cookie, origin: scene.first } });
    expect(await own.connected()).toMatchObject({ user: "ana" });
  });

  test("[G22] a socket whose token is invalid is closed with the code to log in again", async () => {
    using stranger = new LiveClient(scene.first, { token: "no.token" });
    expect(await stranger.code()).toBe(closeCodes.sessionEnded);
    expect(stranger.of("error")).toMatchObject([{ code: "unauthenticated", retry: false }]);
  });

  test("[G22] a socket whose first frame is no `connect` is closed", async () => {
    using silent = new LiveClient(scene.first);
    await until(() => silent.socket.readyState === silent.socket.OPEN, "open");
    silent.send(subscribe);
    expect(await silent.code()).toBe(closeCodes.notConnected);
  });

  test("[G22] the end of a session closes its sockets, with and without subscriptions, and no others", async () => {
    await using gateway = await scene.gateway(1_000);
    const token = await scene.token("eva");
    using idle = new LiveClient(gateway.address, { token });
    using subscribed = new LiveClient(gateway.address, { token });
    using other = await scene.open(gateway.address, "ana");
    await Promise.all([idle.connected(), subscribed.connected()]);
    await subscribed.ask(subscribe);
    const eva = await scene.enter("eva");
    await eva.changePassword(parseUserName("eva"), passwordOf("eva"), "another long password");
    for (const client of [idle, subscribed]) {
      expect(await client.code()).toBe(closeCodes.sessionEnded);
    }
    expect(await other.ask(saying("goes on"))).toMatchObject({ type: "receipt" });
  });

  test("[G22] a client that answers no pings is closed as silent, and one that answers stays", async () => {
    await using gateway = await scene.gateway(200);
    const token = await scene.token("ana");
    using dead = new LiveClient(gateway.address, { token });
    dead.socket.on("ping", () => {});
    (dead.socket as unknown as { _autoPong: boolean })._autoPong = false;
    using alive = await scene.open(gateway.address, "ana");
    expect(await dead.code()).toBe(closeCodes.silent);
    let pings = 0;
    alive.socket.on("ping", () => {
      pings += 1;
    });
    await until(() => pings >= 3, "three more pings");
    expect(alive.closed).toBeUndefined();
  });

  test("[G22] a reader that stops is closed as too slow, and the others get every message", async () => {
    await using gateway = await scene.gateway(25_000);
    using ana = await scene.open(gateway.address, "ana");
    using slow = await scene.open(gateway.address, "ana");
    using reader = await scene.open(gateway.address, "ana");
    for (const client of [slow, reader]) await client.ask(subscribe);
    slow.socket.pause();
    const text = "x".repeat(limits.messageCharacters);
    let sent = 0;
    // The machine itself keeps some megabytes of unsent bytes.
    while (gateway.live.size === 3 && sent < 20_000) {
      await Promise.all(Array.from({ length: 100 }, () => ana.ask(saying(text))));
      sent += 100;
    }
    expect(gateway.live.size).toBe(2);
    await until(() => reader.texts.length === sent, "the other reader has all messages", 20_000);
    expect(reader.closed).toBeUndefined();
    slow.socket.resume();
    expect([closeCodes.tooSlow, 1006]).toContain(await slow.code());
    expect(slow.texts.length).toBeLessThan(sent);
  });

  test("[G22] [G5] a gateway that is stopped is unready at once, and then closes its sockets over some time", async () => {
    const gateway = await scene.gateway(25_000);
    const token = await scene.token("ana");
    const clients = Array.from({ length: 300 }, () => new LiveClient(gateway.address, { token }));
    try {
      await Promise.all(clients.map((client) => client.connected()));
      const ends: number[] = [];
      for (const { socket } of clients) socket.on("close", () => ends.push(performance.now()));
      const stopped = gateway[Symbol.asyncDispose]();
      using late = new LiveClient(gateway.address, { token });
      await until(() => late.refusal !== undefined, "the newcomer is refused");
      expect(late.refusal).toBe(503);
      await stopped;
      await until(() => ends.length === clients.length, "all are closed");
      expect(new Set(clients.map(({ closed }) => closed?.[0]))).toEqual(
        new Set([closeCodes.stopping]),
      );
      // 300 sockets at 500 each second.
      expect(Math.max(...ends) - Math.min(...ends)).toBeGreaterThan(300);
    } finally {
      for (const client of clients) client[Symbol.dispose]();
    }
  });
});

test("[G20] a message that nobody at the gateway has followed yet is at the first subscriber's position", async () => {
  await scene.founder.publish(geral, "before anybody");
  using ana = await scene.open(scene.second, "ana");
  await ana.ask({ ...subscribe, last: 1 });
  expect(ana.texts).toEqual(["before anybody"]);
}, 30_000);

test("[O50] a WebSocket counts as a live connection while it is open, and as no open HTTP request", async () => {
  await using gateway = await scene.gateway(25_000);
  const measured = async () => {
    const page = await fetch(`${gateway.metrics?.replace("tcp:", "http:")}/metrics`);
    const lines = (await page.text()).split("\n");
    return ["live_connections", "open_http_requests"].map((name) =>
      lines.find((line) => line.startsWith(`tertulia_${name} `)),
    );
  };
  {
    using _client = await scene.open(gateway.address, "ana");
    expect(await measured()).toEqual([
      "tertulia_live_connections 1",
      "tertulia_open_http_requests 0",
    ]);
  }
  const isGone = async () => (await measured())[0] === "tertulia_live_connections 0";
  await until(isGone, "the socket is closed");
}, 60_000);

test("[O50] a gateway's metrics tell whether it can serve, and how many WebSockets it has closed, by reason", async () => {
  await using gateway = await scene.gateway(25_000);
  using stranger = new LiveClient(gateway.address, { token: "no.token" });
  expect(await stranger.code()).toBe(closeCodes.sessionEnded);
  const isCounted = async () => {
    const page = await fetch(`${gateway.metrics?.replace("tcp:", "http:")}/metrics`);
    const lines = (await page.text()).split("\n");
    return [
      "tertulia_ready 1",
      'tertulia_closed_sockets_total{reason="sessionEnded"} 1',
      'tertulia_closed_sockets_total{reason="tooSlow"} 0',
    ].every((line) => lines.includes(line));
  };
  await until(isCounted, "the metrics tell it");
}, 60_000);
