import { afterAll, beforeAll, expect, test } from "vitest";
import type { Session } from "../../src/client/session.ts";
import type { PresenceState } from "../../src/protocol/client-messages.ts";
import { parseUserName } from "../../src/protocol/ids.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { until } from "../support/until.ts";

let cluster: LocalCluster;

beforeAll(async () => {
  cluster = await LocalCluster.start({ auth: "required" });
}, 60_000);

afterAll(() => cluster?.[Symbol.asyncDispose](), 30_000);

/** Logs a user in and returns the session; registers the account first if `isNew`. */
async function enter(
  user: string,
  isNew: boolean,
): Promise<Session & { token: string | undefined }> {
  let token: string | undefined;
  const client = cluster.client({
    onToken: (given) => {
      token = given;
    },
  });
  if (isNew) await client.register(parseUserName(user), `${user}'s`);
  await client.login(parseUserName(user), `${user}'s`);
  return Object.assign(client, { token });
}

test("[L11] every server knows which users are online, even a server that was killed and restarted", async () => {
  const desk = await enter("ana", true);
  const phone = await enter("ana", false);
  const bia = await enter("bia", true);
  /** Waits until three requests, which go to the servers in turn, all show ana's state. */
  const shows = async (ana: PresenceState) => {
    await until(async () => {
      const replies = [];
      for (let turn = 0; turn < 3; turn += 1) replies.push(await bia.presence("away"));
      const users = ana === "gone" ? [] : [{ user: "ana", state: ana }];
      const wanted = JSON.stringify([...users, { user: "bia", state: "away" }]);
      return replies.every((present) => JSON.stringify(present) === wanted);
    }, `ana is ${ana}, as all servers say`);
  };
  await desk.presence("away");
  await shows("away");
  await phone.presence("online");
  await shows("online");
  const victim = cluster.server(1);
  const back = victim.nextReady();
  victim.signal("SIGKILL");
  for (const client of [phone, desk]) await client.presence("online");
  await back;
  expect(victim.starts).toBe(2);
  await shows("online");
  await phone.presence("gone");
  await shows("online");
  await phone.close();
  // The token of ana's earlier session is still valid.
  const later = cluster.client({ token: desk.token });
  await desk.presence("gone");
  await shows("gone");
  await later.presence("away");
  await shows("away");
}, 60_000);
