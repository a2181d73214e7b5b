import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  curveKeyPair,
  Dealer,
  Publisher,
  Reply,
  Request,
  Router,
  Subscriber,
  XPublisher,
} from "zeromq";
import { splitKey } from "../../src/platform/endpoint.ts";
import { decode, encode } from "../../src/protocol/codec.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { fuzzWires } from "../fuzz/wire.ts";
import { until } from "../support/until.ts";
import {
  CurveClient,
  command,
  framesOf,
  greeting,
  message,
  metadata,
  RawPeer,
  restOf,
} from "../support/zmtp.ts";
import { CliProcess, clusterVariables } from "../terminal/cli-process.ts";

const kinds = [
  { auth: "open", curve: false },
  { auth: "required", curve: false },
  { auth: "open", curve: true },
  { auth: "required", curve: true },
] as const;

const addressOf = (endpoint: string) => splitKey(endpoint).address;

/** The addresses of all processes' bound sockets: those for guests, and those for members alone. */
function portsOf(cluster: LocalCluster) {
  const { broker, brokerBack, proxyIn, proxy, reference } = cluster.endpoints;
  const peers = cluster.of("server").map(({ ready }) => ready?.endpoints.peer ?? "");
  return {
    guests: [broker, proxy, reference].map(addressOf),
    members: [brokerBack, proxyIn, ...peers].map(addressOf),
  };
}

function isWhole(cluster: LocalCluster): boolean {
  const roles = ["server", "broker", "proxy", "reference"] as const;
  return roles.flatMap((role) => cluster.of(role)).every(({ starts }) => starts === 1);
}

describe.each(kinds)(
  "[X7] [X8] strangers at a cluster with --auth $auth, encrypted: $curve",
  { timeout: 60_000 },
  (kind) => {
    let cluster: LocalCluster;
    let key: Buffer | undefined;

    beforeAll(async () => {
      cluster = await LocalCluster.start({ ...kind, servers: 2 });
      const text = splitKey(cluster.endpoints.broker).key;
      key = text === undefined ? undefined : Buffer.from(text, "hex");
    }, 60_000);
    afterAll(() => cluster?.[Symbol.asyncDispose](), 30_000);

    /** The options with which a guest's ZeroMQ socket can connect. */
    function asGuest(): Record<string, unknown> {
      if (key === undefined) return { linger: 0 };
      const { publicKey: curvePublicKey, secretKey: curveSecretKey } = curveKeyPair();
      return { linger: 0, curveServerKey: key, curvePublicKey, curveSecretKey };
    }

    /** Sends a plain client's request and returns the decoded reply. */
    async function ask(service: string): Promise<unknown> {
      const socket = new Request({ receiveTimeout: 10_000 });
      Object.assign(socket, asGuest());
      socket.connect(addressOf(cluster.endpoints.broker));
      try {
        await socket.send(encode({ service, data: {} }));
        const [reply] = await socket.receive();
        return decode(reply as Buffer);
      } finally {
        socket.close();
      }
    }

    /** Connects without ZeroMQ's library and does the handshake as far as the endpoint allows. */
    async function guestAt(endpoint: string, type: string, identity: Uint8Array | string = "") {
      const peer = new RawPeer(endpoint);
      const about = metadata(type, identity);
      if (key === undefined) {
        peer.say(greeting(), command("READY", about));
        await peer.hears((heard) => restOf(heard, "READY") !== undefined, 10_000);
        return { peer, sealed: (body: string, flags: number) => message(body).fill(flags, 0, 1) };
      }
      const client = await CurveClient.of(key);
      peer.say(greeting("CURVE"), client.hello());
      await peer.hears((heard) => restOf(heard, "WELCOME") !== undefined, 10_000);
      const welcome = restOf(peer.heard, "WELCOME");
      if (welcome !== undefined) peer.say(client.initiate(welcome, about));
      await peer.hears((heard) => restOf(heard, "READY") !== undefined, 10_000);
      return { peer, sealed: (body: string, flags: number) => client.seal(body, flags) };
    }

    const typeAt = (endpoint: string) => {
      if (endpoint === addressOf(cluster.endpoints.proxy)) return "SUB";
      return endpoint === addressOf(cluster.endpoints.proxyIn) ? "PUB" : "DEALER";
    };

    test("an HTTP request of a web page is refused at every port and publishes nothing", async () => {
      const heard: string[] = [];
      const listener = new Subscriber({ linger: 0 });
      Object.assign(listener, asGuest());
      listener.connect(addressOf(cluster.endpoints.proxy));
      listener.subscribe("POST", "Host", "geral", "\u0001");
      void (async () => {
        for await (const [topic] of listener) heard.push(String(topic));
      })().catch(() => {});
      const { guests, members } = portsOf(cluster);
      // libzmq would accept such bytes as ZMTP 1.0.
      const body = "\u0005\u0000geral\u0001\u0007\u0000a lie!";
      const requests = [
        `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
        "GET /socket HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        `\u0001\u0000${body}`,
      ];
      for (const endpoint of [...guests, ...members]) {
        for (const request of requests) {
          const peer = new RawPeer(endpoint);
          peer.say(Buffer.from(request, "latin1"));
          await peer.closed();
          // The process has sent at most its greeting.
          expect(peer.heard.length).toBeLessThanOrEqual(64);
        }
      }
      expect(await ask("time")).toBeDefined();
      listener.close();
      expect(heard).toEqual([]);
      expect(isWhole(cluster)).toBe(true);
    });

    test("a stranger that states a name like those that ZeroMQ generates ends no process and receives no other peer's reply", async () => {
      const { guests, members } = portsOf(cluster);
      const numbers = [0, 1, 0x6b8b4567, 0x6b8b4568, 0x6b8b4569, 0x7fffffff, 0xffffffff];
      const names = numbers.map((number) => {
        const name = Buffer.alloc(5);
        name.writeUInt32BE(number, 1);
        return name;
      });
      const open: RawPeer[] = [];
      for (const endpoint of guests) {
        for (const name of [...names, ...names]) {
          const { peer } = await guestAt(endpoint, typeAt(endpoint), name);
          expect(restOf(peer.heard, "READY")).toBeDefined();
          open.push(peer);
        }
      }
      for (const endpoint of members) {
        for (const name of names) {
          const { peer } = await guestAt(endpoint, typeAt(endpoint), name);
          await peer.closed();
        }
      }
      await Promise.all(Array.from({ length: 40 }, () => ask("time")));
      for (const peer of open) {
        // READY and PING commands are expected. Encrypted frames below 60 bytes hold no reply.
        const others = framesOf(peer.heard).filter(({ flags }) => (flags & 4) === 0);
        if (key === undefined) expect(others).toEqual([]);
        else expect(others.every(({ body }) => body.length < 60)).toBe(true);
        peer.close();
      }
      expect(isWhole(cluster)).toBe(true);
    });

    test("a message of a million empty frames is refused at every port", async () => {
      const { guests, members } = portsOf(cluster);
      const million = Buffer.alloc(2_000_000, Buffer.of(1, 0));
      for (const endpoint of [...guests, ...members]) {
        for (const bytes of [[greeting(), million], [million]]) {
          const peer = new RawPeer(endpoint);
          peer.say(...bytes);
          await peer.closed();
        }
        const { peer, sealed } = await guestAt(endpoint, typeAt(endpoint));
        const isIn = restOf(peer.heard, "READY") !== undefined;
        if (key === undefined || !isIn) peer.say(million);
        else for (let count = 0; count < 40; count += 1) peer.say(sealed("", 1));
        await peer.closed();
      }
      expect(await ask("time")).toBeDefined();
      expect(isWhole(cluster)).toBe(true);
    });

    test("a stranger can't connect as a worker or as a publisher to the ports for members", async () => {
      const { brokerBack, proxyIn } = cluster.endpoints;
      const heard: string[] = [];
      const listener = new Subscriber({ linger: 0 });
      Object.assign(listener, asGuest());
      listener.connect(addressOf(cluster.endpoints.proxy));
      listener.subscribe("lie");
      void (async () => {
        for await (const [topic] of listener) heard.push(String(topic));
      })().catch(() => {});
      const taken: string[] = [];
      const passwords = { plainUsername: "member", plainPassword: "a guess" };
      const manners = [{ linger: 0 }, { linger: 0, ...passwords }, asGuest()];
      const sockets = manners.flatMap((manner) => [
        ...[new Router(), new Dealer(), new Reply()].map((socket) => ({
          socket,
          manner,
          at: brokerBack,
        })),
        ...[new Publisher(), new XPublisher()].map((socket) => ({ socket, manner, at: proxyIn })),
      ]);
      await Promise.all(
        sockets.map(async ({ socket, manner, at }) => {
          Object.assign(socket, manner);
          let isRefused = false;
          for (const event of [
            "disconnect",
            "handshake:error:protocol",
            "handshake:error:other",
          ] as const) {
            socket.events.on(event, () => {
              isRefused = true;
            });
          }
          socket.connect(addressOf(at));
          if ("receive" in socket) {
            socket.receive().then(
              (frames) => taken.push(frames.map(String).join()),
              () => {},
            );
          }
          await until(() => isRefused, "it is refused");
          if (at === proxyIn) await (socket as Publisher).send(["lie", "a lie"]);
        }),
      );
      for (let count = 0; count < 20; count += 1)
        expect(await ask("time")).toMatchObject({ service: "time" });
      for (const { socket } of sockets) socket.close();
      listener.close();
      expect(taken).toEqual([]);
      expect(heard).toEqual([]);
      expect(isWhole(cluster)).toBe(true);
    });
  },
);

describe("[X7] --guest-servers", { timeout: 60_000 }, () => {
  test("with --guest-servers, servers of the original protocol can serve and publish, and the command status reports the option as a problem", async () => {
    await using cluster = await LocalCluster.start({ servers: 1, guestServers: true });
    const { broker, brokerBack, proxyIn, proxy, reference } = cluster.endpoints;
    const rep = new Reply({ linger: 0 });
    const router = new Router({ linger: 0 });
    const publisher = new Publisher({ linger: 0 });
    const listener = new Subscriber({ linger: 0, receiveTimeout: 10_000 });
    try {
      for (const socket of [rep, router]) socket.connect(brokerBack);
      publisher.connect(proxyIn);
      listener.connect(proxy);
      listener.subscribe("foreign");
      const served = { rep: 0, router: 0 };
      void (async () => {
        for await (const _ of rep) {
          served.rep += 1;
          await rep.send(encode({ service: "time", data: { server: "rep" } }));
        }
      })().catch(() => {});
      void (async () => {
        for await (const frames of router) {
          served.router += 1;
          await router.send([
            ...frames.slice(0, -1),
            encode({ service: "time", data: { server: "router" } }),
          ]);
        }
      })().catch(() => {});
      const names = new Set<string>();
      await until(async () => {
        const client = new Request({ linger: 0, receiveTimeout: 10_000 });
        client.connect(broker);
        await client.send(encode({ service: "time", data: {} }));
        const [reply] = await client.receive();
        client.close();
        names.add((decode(reply as Buffer) as { data: { server: string } }).data.server);
        return names.size === 3;
      }, "all three have served");
      expect([...names].sort().slice(0, 2)).toEqual(["rep", "router"]);
      let isHeard = false;
      listener.receive().then(
        () => {
          isHeard = true;
        },
        () => {},
      );
      await until(async () => {
        await publisher.send(["foreign", "news"]);
        return isHeard;
      }, "what it publishes is heard");
      rep.close();
      router.close();
      const variables = clusterVariables({ broker, proxy, reference });
      const status = await new CliProcess(["status"], variables).end();
      expect(status.stdout).toContain("that are not members may connect to broker_");
    } finally {
      for (const socket of [rep, router, publisher, listener]) socket.close();
    }
  });
});

describe("[X8] random changes of bytes at each bound port", { timeout: 120_000 }, () => {
  /** `npm run fuzz -- --wire` makes any number of such runs. */
  test.each([
    ["plain", false],
    ["encrypted", true],
  ])("changed bytes on %s connections end no process and fill no memory", async (_kind, curve) => {
    const { problems, folder } = await fuzzWires({ curve, connections: 200, seed: 1 });
    expect(problems, `kept in ${folder}`).toEqual([]);
  });
});
