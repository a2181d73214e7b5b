import { describe, expect, test } from "vitest";
import type { Connection } from "../../src/client/connection.ts";
import type { Session } from "../../src/client/session.ts";
import { Sessions } from "../../src/net/sessions.ts";
import { parseChannelName, parseUserName } from "../../src/protocol/ids.ts";
import { secretIn } from "../support/members-door.ts";
import { until } from "../support/until.ts";
import { accountsScene, passwordOf, topicOf } from "./accounts-scene.ts";

const scene = accountsScene();
const geral = parseChannelName("geral");
const forbidden = { code: "forbidden", retry: false };

/** Registers an account and returns its session, on a connection that other sessions share. */
async function enter(connection: Connection, user: string, refused: string[] = []) {
  const session = connection.session({ onRefused: ({ code }) => refused.push(code) });
  await session.register(parseUserName(user), passwordOf(user));
  await session.login(parseUserName(user), passwordOf(user));
  return session;
}

/** Subscribes, and returns a growing list of the texts that the session hears. */
async function listen(session: Session, name: Parameters<Session["subscribe"]>[0]) {
  const heard: string[] = [];
  await session.subscribe(name, ({ message }) => heard.push(message));
  return heard;
}

describe("users on one connection of a cluster with accounts", { timeout: 60_000 }, () => {
  test("[X5] a user can't read another user's private messages, although both share a connection", async () => {
    const connection = scene.cluster.connection();
    const [ana, bia] = [await enter(connection, "ana1"), await enter(connection, "bia1")];
    const mallory = await enter(connection, "mallory1");
    const [own, both] = [{ user: parseUserName("ana1") }, { channel: geral }];
    const [toAna, inGeral] = [await listen(ana, own), await listen(mallory, both)];
    const stolen: string[] = [];
    const hear = ({ message }: { message: string }) => stolen.push(message);
    const tries = [
      () => mallory.subscribe(own, hear),
      () => mallory.history(own),
      () => mallory.ask("keys", { topics: [topicOf(own)] }),
    ];
    for (let turn = 1; turn <= 5; turn += 1) {
      const refusals = tries.map((attempt) => expect(attempt()).rejects.toMatchObject(forbidden));
      await bia.message(own.user, `for ana alone ${turn}`);
      await bia.publish(geral, `for all ${turn}`);
      await Promise.all(refusals);
    }
    await until(() => toAna.length === 5 && inGeral.length === 5, "who may read it has read it");
    expect(stolen).toEqual([]);
    expect(inGeral.join()).not.toContain("for ana alone");
  });

  test("[X2] a user's login or lock does not affect another user's session on the same connection", async () => {
    const connection = scene.cluster.connection();
    const refused: string[][] = [[], []];
    const ana = await enter(connection, "ana2", refused[0]);
    const bia = await enter(connection, "bia2", refused[1]);
    await ana.publish(geral, "first");
    const heard = [
      await listen(ana, { user: parseUserName("ana2") }),
      await listen(bia, { channel: geral }),
    ];
    await enter(connection, "caio2");
    const key = secretIn(scene.cluster.folder).deriveKeys("token");
    const operator = connection.session({ token: new Sessions(key).giveOperator(Date.now()) });
    await operator.ask("account", { user: parseUserName("ana2"), locked: true });
    await until(() => (refused[0]?.length ?? 0) > 0, "the locked one is told", 20_000);
    await expect(ana.publish(geral, "locked out")).rejects.toMatchObject(forbidden);
    await bia.publish(geral, "still here");
    await until(() => heard[1]?.includes("still here") === true, "the other one goes on");
    expect(refused[1]).toEqual([]);
    ana.close();
    await expect(bia.users()).resolves.toContain("ana2");
  });
});
