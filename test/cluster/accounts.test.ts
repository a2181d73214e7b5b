import { statSync } from "node:fs";
import { SignJWT, UnsecuredJWT } from "jose";
import { describe, expect, test } from "vitest";
import type { Session } from "../../src/client/session.ts";
import { Sessions } from "../../src/net/sessions.ts";
import { parseChannelName, parseUserName } from "../../src/protocol/ids.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { keptTexts } from "../support/kept-texts.ts";
import { secretIn } from "../support/members-door.ts";
import { until } from "../support/until.ts";
import { accountsScene, passwordOf, topicOf } from "./accounts-scene.ts";

const scene = accountsScene();

/** A session with an operator's token, made with the cluster's secret. */
async function operator(): Promise<Session> {
  return scene.holding(
    new Sessions(secretIn(scene.cluster.folder).deriveKeys("token")).giveOperator(Date.now()),
  );
}

const unauthenticated = { code: "unauthenticated", retry: false };
const forbidden = { code: "forbidden", retry: false };

describe("[X2] access with a session", { timeout: 60_000 }, () => {
  test("in a cluster with accounts, each service that requires a session refuses a client without one", async () => {
    const guest = scene.cluster.client({ user: parseUserName("ana") });
    await expect(guest.login(parseUserName("somebody"))).rejects.toMatchObject({
      ...unauthenticated,
      message: "This cluster wants a `password` with the name.",
    });
    const asked = [
      guest.users(),
      guest.channels(),
      guest.createChannel(parseChannelName("other")),
      guest.publish(parseChannelName("geral"), "no"),
      guest.message(parseUserName("bea"), "no"),
      guest.history({ channel: "geral" as never }),
      guest.ask("keys", { topics: ["#geral\0"] }),
      guest.ask("account", { user: parseUserName("ana"), locked: true }),
    ];
    for (const one of asked) {
      await expect(one).rejects.toMatchObject({
        ...unauthenticated,
        message: "This cluster wants a `token`, which `login` with a password gives.",
      });
    }
  });

  test("a session can't act for another user, read another user's messages, or administer the cluster", async () => {
    const ana = await scene.enter("ana");
    await scene.enter("bea");
    const { tokens } = scene;
    const asBea = scene.cluster.client({ user: parseUserName("bea"), token: tokens.get("ana") });
    const asked = [
      asBea.publish(parseChannelName("geral"), "in her name"),
      asBea.message(parseUserName("founder"), "in her name"),
      asBea.createChannel(parseChannelName("hers")),
      ana.history({ user: "bea" as never }),
      ana.ask("keys", { topics: [topicOf({ user: "bea" })] }),
      ana.ask("account", { user: parseUserName("bea"), locked: true }),
      ana.ask("registration", { mode: "closed" }),
    ];
    await Promise.all(asked.map((one) => expect(one).rejects.toMatchObject(forbidden)));
  });

  test("a server refuses a token that is unsigned, altered, expired, or signed with another key", async () => {
    await scene.enter("ana");
    const [, body = ""] = (scene.tokens.get("ana") ?? "").split(".");
    const claims = JSON.parse(Buffer.from(body, "base64url").toString());
    const key = secretIn(scene.cluster.folder).deriveKey("token");
    const sign = (by: Parameters<SignJWT["sign"]>[0], more = {}) =>
      new SignJWT({ ...claims, ...more }).setProtectedHeader({ alg: "HS256" }).sign(by);
    const foreign = await sign(Buffer.alloc(32, 1));
    const unsigned = new UnsecuredJWT(claims).encode();
    const [head, , signature] = (scene.tokens.get("ana") ?? "").split(".");
    const altered = Buffer.from(JSON.stringify({ ...claims, sub: "bea" })).toString("base64url");
    for (const token of [foreign, unsigned, `${head}.${altered}.${signature}`, "x", ""]) {
      await expect(scene.holding(token).users()).rejects.toMatchObject(unauthenticated);
    }
    const seconds = Math.floor(Date.now() / 1_000);
    const expired = await sign(key, { iat: seconds - 50_000, exp: seconds - 10 });
    await expect(scene.holding(expired).users()).rejects.toMatchObject({
      ...unauthenticated,
      message: expect.stringMatching(/^The session ended at .*: log in again\.$/),
    });
    await expect(scene.holding(await sign(key)).users()).resolves.toContain("ana");
  });

  test("a new password ends an account's earlier sessions, and servers refuse a locked account until the account is unlocked", async () => {
    const fay = await scene.enter("fay");
    const stolen = scene.holding(scene.tokens.get("fay"));
    await expect(stolen.users()).resolves.toContain("founder");
    await fay.changePassword(parseUserName("fay"), passwordOf("fay"), "the next password");
    // A server that has not received the change accepts the older session.
    await until(async () => {
      const refused = await stolen.users().then(
        () => false,
        ({ code }: { code: string }) => code === "unauthenticated",
      );
      return refused;
    }, "the older session has ended");
    await expect(fay.users()).resolves.toContain("fay");

    const admin = await operator();
    await admin.ask("account", { user: parseUserName("fay"), locked: true });
    await until(async () => {
      const code = await fay.users().then(
        () => "",
        (error: { code: string }) => error.code,
      );
      return code === "forbidden";
    }, "the locked account is refused");
    await expect(
      scene.cluster.client().login(parseUserName("fay"), "the next password"),
    ).rejects.toMatchObject({
      ...forbidden,
      message: 'An administrator has locked the account "fay".',
    });
    await expect(fay.ask("keys", { topics: ["#geral\0"] })).rejects.toMatchObject(forbidden);
    await admin.ask("account", { user: parseUserName("fay"), locked: false });
    await expect(
      scene.cluster.client().login(parseUserName("fay"), "the next password"),
    ).resolves.toBeDefined();
  });
});

describe("[X4] passwords", { timeout: 60_000 }, () => {
  test("servers slow down the guessing of passwords, and answer an unknown name like a wrong password", async () => {
    await scene.enter("gil");
    const guesser = scene.cluster.client();
    // With this short deadline, the client fails at once when a server asks it to wait longer.
    const impatient = scene.cluster.client({ deadlineMs: 1_000 });
    const guess = async (user: string, client = guesser) => {
      const error = await client.login(parseUserName(user), "a guess").catch((thrown) => thrown);
      return { code: error.code, message: error.message };
    };
    const wrong = { code: "unauthenticated", message: "The name or the password is wrong." };
    expect(await guess("gil")).toEqual(wrong);
    expect(await guess("nobody-at-all")).toEqual(wrong);
    // Each of the three servers first accepts ten attempts, whose passwords it hashes.
    const isSlowed = async () => (await guess("gil", impatient)).code === "rate_limited";
    await until(isSlowed, "the guessing is slowed", 45_000);
  });

  test("[D9] a registration with the id of an earlier one succeeds with the same password and fails with a different password", async () => {
    // Each claim has a new client, because one client could not tell replies with one id apart.
    const claim = async (password: string) => {
      const client = scene.cluster.client();
      const asked = { user: parseUserName("zoe"), password: passwordOf(password) };
      return await client
        .ask("register", asked, { id: "1" as never })
        .finally(() => client.close());
    };
    await claim("zoe");
    const taken = { code: "name_taken", retry: false };
    for (let copy = 1; copy <= 3; copy += 1) {
      await expect(claim("somebody else")).rejects.toMatchObject(taken);
      await claim("zoe");
    }
    await scene.cluster.client().login(parseUserName("zoe"), passwordOf("zoe"));
  });

  test("no password is in a log, a file or a message over the proxy", async () => {
    const heard = await scene.overhear(async () => {
      const ida = await scene.enter("ida");
      await ida.changePassword(
        parseUserName("ida"),
        passwordOf("ida"),
        `${passwordOf("ida")}, a second one`,
      );
    });
    for (const frames of heard) {
      for (const frame of frames) expect(frame.includes("the long password of")).toBe(false);
    }
    const kept = await keptTexts(scene.cluster);
    expect(kept.filter(({ text }) => text.includes("the long password of"))).toEqual([]);
    const hashed = kept.filter(({ text }) => text.includes("$argon2id"));
    expect(hashed.length).toBeGreaterThan(0);
    for (const { file } of hashed) {
      if (file !== undefined) expect(statSync(file).mode & 0o077, file).toBe(0);
    }
  });
});

describe("[X2] sessions over time", { timeout: 60_000 }, () => {
  test("sessions stay valid after a failover and after a restart of the whole cluster", async () => {
    const ana = await scene.enter("ana");
    const { coordinator } = await ana.status();
    const leader = scene.cluster.of("server").find((child) => child.ready?.name === coordinator);
    const ready = leader?.nextReady();
    leader?.signal("SIGKILL");
    await expect(
      ana.publish(parseChannelName("geral"), "during the failover"),
    ).resolves.toBeDefined();
    await ready;
    const token = scene.tokens.get("ana");
    await scene.cluster.stop();
    scene.cluster = await LocalCluster.start({ auth: "required", data: scene.cluster.folder });
    const again = scene.holding(token);
    await expect(
      again.publish(parseChannelName("geral"), "after the restart"),
    ).resolves.toBeDefined();
    const { entries } = await again.history({ channel: "geral" as never });
    expect(entries.slice(-2).map(({ message }) => message)).toEqual([
      "during the failover",
      "after the restart",
    ]);
    const asBea = scene.cluster.client({ user: parseUserName("bea"), token });
    await expect(asBea.message(parseUserName("ana"), "no")).rejects.toMatchObject(forbidden);
  });
});
