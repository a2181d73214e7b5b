import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { SignJWT, UnsecuredJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Publisher, Subscriber } from "zeromq";
import type { ChatClient } from "../../src/client/chat-client.ts";
import { connect } from "../../src/net/connect.ts";
import { Sessions } from "../../src/net/sessions.ts";
import { encrypt } from "../../src/platform/encryption.ts";
import { encode } from "../../src/protocol/codec.ts";
import type { Entry } from "../../src/protocol/publications.ts";
import { dayOf, sealedForm } from "../../src/protocol/sealed.ts";
import { type ConversationName, conversationTopic } from "../../src/protocol/topics.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { secretIn, withinTheDoor } from "../support/members-door.ts";
import { until } from "../support/until.ts";

let cluster: LocalCluster;

beforeAll(async () => {
  cluster = await LocalCluster.start({ auth: "required", logLevel: "debug" });
  const channel = await enter("founder");
  await channel.createChannel("geral", "founder");
  await channel.close();
}, 60_000);

afterAll(() => cluster?.[Symbol.asyncDispose](), 30_000);

const passwordOf = (user: string) => `the long password of ${user}`;

/** The token that each user's client holds by now. */
const tokens = new Map<string, string>();

/** A client of a user's session, whose account is made if it is new. */
async function enter(user: string): Promise<ChatClient> {
  const client = cluster.client({ onToken: (token) => tokens.set(user, token) });
  if (!tokens.has(user)) await client.register(user, passwordOf(user));
  await client.login(user, passwordOf(user));
  return client;
}

/** Somebody who has a token, wherever he got it. */
const holding = (token: string | undefined) => cluster.client({ token });

/** A client of whoever has the cluster's secret. */
async function operator(): Promise<ChatClient> {
  return holding(
    new Sessions(secretIn(cluster.folder).deriveKey("token")).giveOperator(Date.now()),
  );
}

const topicOf = (name: object) => conversationTopic(name as ConversationName);

const unauthenticated = { code: "unauthenticated", retry: false };
const forbidden = { code: "forbidden", retry: false };

/** All that goes over the proxy while something happens. */
async function overhear(doIt: (heard: Buffer[][]) => Promise<void>): Promise<Buffer[][]> {
  const socket = new Subscriber({ linger: 0 });
  socket.connect(cluster.endpoints.proxy);
  socket.subscribe("");
  const heard: Buffer[][] = [];
  const hearing = (async () => {
    for await (const frames of socket) heard.push(frames);
  })();
  await until(() => heard.length > 0, "it hears the servers");
  await doIt(heard);
  socket.close();
  await hearing;
  return heard;
}

describe("[X5] a bare SUB socket", { timeout: 60_000 }, () => {
  test("hears nothing that it can read, on no topic", async () => {
    const [ana, bea] = [await enter("ana"), await enter("bea")];
    const got: Entry[] = [];
    await bea.subscribe({ user: "bea" as never }, (entry) => got.push(entry));
    await bea.subscribe({ channel: "geral" as never }, (entry) => got.push(entry));
    const wire = ["replication", ...[{ channel: "geral" }, { user: "bea" }].map(topicOf)];
    const heard = await overhear(async (frames) => {
      await ana.publish("ana", "geral", "said to all of the channel");
      await ana.message("ana", "bea", "said to one alone");
      await until(() => got.length === 2, "who may read it has read it");
      const topics = () => frames.map(([topic]) => String(topic));
      await until(() => wire.every((topic) => topics().includes(topic)), "it went over the proxy");
    });
    expect(got.map((entry) => entry.message).sort()).toEqual([
      "said to all of the channel",
      "said to one alone",
    ]);
    const topics = new Set(heard.map(([topic]) => String(topic)));
    // The old form, which is in clear.
    expect(topics).not.toContain("geral");
    expect(topics).not.toContain("bea");
    for (const [, payload] of heard) {
      expect(payload?.includes("said to")).toBe(false);
      expect(payload?.includes("founder")).toBe(false);
    }
  });

  test("and a private topic's key is no use after the next password", async () => {
    const [ana, eva] = [await enter("ana"), await enter("eva")];
    const topic = topicOf({ user: "eva" });
    const keyOf = async () => JSON.stringify((await eva.ask("keys", { topics: [topic] })).keys);
    const before = await keyOf();
    expect(await keyOf()).toBe(before);
    await eva.changePassword("eva", passwordOf("eva"), "another one");
    expect(await keyOf()).not.toBe(before);
    const got: Entry[] = [];
    await eva.subscribe({ user: "eva" as never }, (entry) => got.push(entry));
    await ana.message("ana", "eva", "after the change");
    await until(() => got.length === 1, "she reads on");
  });
});

describe("[X5] whoever is let in where servers publish may publish", { timeout: 60_000 }, () => {
  test("but in clear, or by a key of his own, nobody believes it", async () => {
    const [ana, bea] = [await enter("ana"), await enter("bea")];
    const got: Entry[] = [];
    const channel = "geral" as never;
    await bea.subscribe({ channel }, (entry) => got.push(entry));
    const topic = conversationTopic({ channel });
    const { server, seq } = await ana.publish("ana", "geral", "true");
    await until(() => got.length === 1, "the true one comes");
    const lie = { user: "ana", channel, message: "forged", timestamp: "2026-01-01T00:00:00.000Z" };
    const place = { server, seq: seq + 1, prev: seq, clock: 1, id: "forged" };
    const plain = encode([{ ...lie, ...place }]);
    const sealed = sealedForm(dayOf(Date.now()), encrypt(Buffer.alloc(32, 7), plain, topic));
    const socket = new Publisher({ linger: 0 });
    connect(socket, [withinTheDoor(cluster.folder, cluster.endpoints.proxyIn)]);
    const heard = await overhear(async () => {
      let arrived = 0;
      const ears = new Subscriber({ linger: 0 });
      ears.connect(cluster.endpoints.proxy);
      ears.subscribe(topic);
      void (async () => {
        for await (const [, payload] of ears) arrived += payload?.equals(sealed) ? 1 : 0;
      })();
      await until(async () => {
        await socket.send([topic, plain]);
        await socket.send([topic, sealed]);
        return arrived >= 5;
      }, "the forged ones have gone over the proxy");
      ears.close();
      await ana.publish("ana", "geral", "true again");
      await until(() => got.length === 2, "the next true one comes");
    });
    socket.close();
    expect(heard.some(([, payload]) => payload?.equals(Buffer.from(plain)))).toBe(true);
    expect(got.map(({ message }) => message)).toEqual(["true", "true again"]);
    // What it said of its place is not believed either: nobody waits for it.
    await expect(bea.channels()).resolves.toContain("geral");
  });
});

describe("[X5] a user who has a channel's key", { timeout: 60_000 }, () => {
  test("publishes in nobody's name at the proxy, and stops no reader", async () => {
    const [ana, bea, mallory] = [await enter("ana"), await enter("bea"), await enter("mallory")];
    const got: Entry[] = [];
    const channel = "geral" as never;
    const topic = conversationTopic({ channel });
    await bea.subscribe({ channel }, (entry) => got.push(entry));
    const { server, seq, clock } = await ana.publish("ana", "geral", "true");
    await until(() => got.length === 1, "the true one comes");

    const { keys, publisher } = await mallory.ask("keys", { topics: [topic] });
    expect(publisher).toMatch(/^[\w-]{43}$/);
    const days = (keys as Record<string, { day: number; key: string }[]>)[topic] ?? [];
    const { day, key } = days.at(-1) as { day: number; key: string };
    const seal = (plain: Uint8Array) =>
      sealedForm(day, encrypt(Buffer.from(key, "base64url"), plain, topic));
    const lie = { user: "ana", channel, message: "forged", timestamp: "2026-01-01T00:00:00.000Z" };
    const forge = (place: object) => {
      const plain = encode([{ ...lie, server, clock, id: "forged", ...place }]);
      return [seal(plain), seal(Buffer.concat([Buffer.alloc(64, 7), plain]))];
    };
    const forged = [
      ...forge({ seq: seq + 1, prev: seq }),
      ...forge({ seq: 2 ** 40, prev: seq, clock: 2 ** 50 }),
      ...forge({ seq: 2 ** 41, prev: 2 ** 40, clock: 2 ** 50 }),
    ];
    const socket = new Publisher({ linger: 0 });
    connect(socket, [withinTheDoor(cluster.folder, cluster.endpoints.proxyIn)]);
    await overhear(async (frames) => {
      const arrived = () => frames.filter(([, sent]) => sent?.equals(forged.at(-1) as Buffer));
      await until(async () => {
        for (const one of forged) await socket.send([topic, one]);
        return arrived().length >= 5;
      }, "the forged ones have gone over the proxy");
      await ana.publish("ana", "geral", "true again");
      await until(() => got.length === 2, "the next true one comes");
    });
    socket.close();
    expect(got.map(({ message }) => message)).toEqual(["true", "true again"]);
    expect(bea.clock.value).toBeLessThan(2 ** 40);
    // She waits for nothing that never was.
    await expect(bea.channels()).resolves.toContain("geral");
    await expect(bea.publish("bea", "geral", "hers")).resolves.toBeDefined();
  });
});

describe("[X2] a session", { timeout: 60_000 }, () => {
  test("is needed for all that is anybody's: an old client is told why", async () => {
    const guest = cluster.client();
    await expect(guest.login("somebody")).rejects.toMatchObject({
      ...unauthenticated,
      message: "This cluster wants a `password` with the name.",
    });
    const asked = [
      guest.users(),
      guest.channels(),
      guest.createChannel("other"),
      guest.publish("ana", "geral", "no"),
      guest.message("ana", "bea", "no"),
      guest.history({ channel: "geral" as never }),
      guest.ask("keys", { topics: ["#geral\0"] }),
      guest.ask("account", { user: "ana", locked: true }),
    ];
    for (const one of asked) {
      await expect(one).rejects.toMatchObject({
        ...unauthenticated,
        message: "This cluster wants a `token`, which `login` with a password gives.",
      });
    }
  });

  test("speaks for its own user only, and reads no other's messages", async () => {
    const ana = await enter("ana");
    await enter("bea");
    const asked = [
      ana.publish("bea", "geral", "in her name"),
      ana.message("bea", "founder", "in her name"),
      ana.createChannel("hers", "bea"),
      ana.history({ user: "bea" as never }),
      ana.ask("keys", { topics: [topicOf({ user: "bea" })] }),
      ana.ask("account", { user: "bea", locked: true }),
      ana.ask("registration", { mode: "closed" }),
    ];
    for (const one of asked) await expect(one).rejects.toMatchObject(forbidden);
  });

  test("is nobody's with a token of another key, of none, or past its time", async () => {
    await enter("ana");
    const [, body = ""] = (tokens.get("ana") ?? "").split(".");
    const claims = JSON.parse(Buffer.from(body, "base64url").toString());
    const key = secretIn(cluster.folder).deriveKey("token");
    const sign = (by: Parameters<SignJWT["sign"]>[0], more = {}) =>
      new SignJWT({ ...claims, ...more }).setProtectedHeader({ alg: "HS256" }).sign(by);
    const foreign = await sign(Buffer.alloc(32, 1));
    const unsigned = new UnsecuredJWT(claims).encode();
    const [head, , signature] = (tokens.get("ana") ?? "").split(".");
    const altered = Buffer.from(JSON.stringify({ ...claims, sub: "bea" })).toString("base64url");
    for (const token of [foreign, unsigned, `${head}.${altered}.${signature}`, "x", ""]) {
      await expect(holding(token).users()).rejects.toMatchObject(unauthenticated);
    }
    const seconds = Math.floor(Date.now() / 1_000);
    const expired = await sign(key, { iat: seconds - 50_000, exp: seconds - 10 });
    await expect(holding(expired).users()).rejects.toMatchObject({
      ...unauthenticated,
      message: expect.stringMatching(/^The session ended at .*: log in again\.$/),
    });
    await expect(holding(await sign(key)).users()).resolves.toContain("ana");
  });

  test("that was stolen ends with the password, and with the account's lock", async () => {
    const fay = await enter("fay");
    const stolen = holding(tokens.get("fay"));
    await expect(stolen.users()).resolves.toContain("founder");
    await fay.changePassword("fay", passwordOf("fay"), "the next password");
    // By whichever server: who has not heard of it yet is asked again until he has.
    await until(async () => {
      const refused = await stolen.users().then(
        () => false,
        ({ code }: { code: string }) => code === "unauthenticated",
      );
      return refused;
    }, "the older session has ended");
    await expect(fay.users()).resolves.toContain("fay");

    const admin = await operator();
    await admin.ask("account", { user: "fay", locked: true });
    await until(async () => {
      const code = await fay.users().then(
        () => "",
        (error: { code: string }) => error.code,
      );
      return code === "forbidden";
    }, "the locked account is refused");
    await expect(cluster.client().login("fay", "the next password")).rejects.toMatchObject({
      ...forbidden,
      message: 'An administrator has locked the account "fay".',
    });
    await expect(fay.ask("keys", { topics: ["#geral\0"] })).rejects.toMatchObject(forbidden);
    await admin.ask("account", { user: "fay", locked: false });
    await expect(cluster.client().login("fay", "the next password")).resolves.toBeDefined();
  });
});

describe("[X4] passwords", { timeout: 60_000 }, () => {
  test("are guessed so often, then not for a while; nobody's name looks like somebody's", async () => {
    await enter("gil");
    const guesser = cluster.client({ deadlineMs: 1_000 });
    const answers = new Set<string>();
    const guess = async (user: string) => {
      const error = await guesser.login(user, "a guess").catch((thrown) => thrown);
      answers.add(error.message);
      return error.code as string;
    };
    expect(await guess("gil")).toBe("unauthenticated");
    expect(await guess("nobody-at-all")).toBe("unauthenticated");
    expect(answers).toEqual(new Set(["The name or the password is wrong."]));
    // Each server takes ten, and hashes each of them.
    const isSlowed = async () => (await guess("gil")) === "rate_limited";
    await until(isSlowed, "the guessing is slowed", 45_000);
  });

  test("[E3] tell whose claim a repeated id is, however each copy of it is hashed", async () => {
    // A client of its own each time: by the id alone it could not tell the replies apart.
    const claim = async (password: string) => {
      const client = cluster.client();
      const asked = { user: "zoe", password: passwordOf(password) };
      return await client.ask("register", asked, "1" as never).finally(() => client.close());
    };
    await claim("zoe");
    const taken = { code: "name_taken", retry: false };
    for (let copy = 1; copy <= 3; copy += 1) {
      await expect(claim("somebody else")).rejects.toMatchObject(taken);
      await claim("zoe");
    }
    await cluster.client().login("zoe", passwordOf("zoe"));
  });

  test("stand nowhere: not in a log, not in a file, not on the wire among servers", async () => {
    const heard = await overhear(async () => {
      const ida = await enter("ida");
      await ida.changePassword("ida", passwordOf("ida"), `${passwordOf("ida")}, a second one`);
    });
    for (const frames of heard) {
      for (const frame of frames) expect(frame.includes("the long password of")).toBe(false);
    }
    for (const path of filesOf(cluster.folder)) {
      expect(readFileSync(path).includes("the long password of"), path).toBe(false);
    }
    const hashed = filesOf(cluster.folder).filter((path) =>
      readFileSync(path).includes("$argon2id"),
    );
    expect(hashed.length).toBeGreaterThan(0);
    for (const path of hashed) expect(statSync(path).mode & 0o077, path).toBe(0);
  });
});

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

describe("[X2] sessions", { timeout: 60_000 }, () => {
  test("go on over a failover and a restart of the whole cluster", async () => {
    const ana = await enter("ana");
    const { coordinator } = (await ana.status()) as { coordinator: string };
    const leader = cluster.of("server").find((child) => child.ready?.name === coordinator);
    const ready = leader?.nextReady();
    leader?.signal("SIGKILL");
    await expect(ana.publish("ana", "geral", "during the failover")).resolves.toBeDefined();
    await ready;
    const token = tokens.get("ana");
    await cluster.stop();
    cluster = await LocalCluster.start({ auth: "required", data: cluster.folder });
    const again = holding(token);
    await expect(again.publish("ana", "geral", "after the restart")).resolves.toBeDefined();
    const { entries } = await again.history({ channel: "geral" as never });
    expect(entries.slice(-2).map(({ message }) => message)).toEqual([
      "during the failover",
      "after the restart",
    ]);
    await expect(again.message("bea", "ana", "no")).rejects.toMatchObject(forbidden);
  });
});
