import type { KeyObject } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RequestPipe } from "../../src/net/request-pipe.ts";
import { decode, encode } from "../../src/protocol/codec.ts";
import { limits } from "../../src/protocol/limits.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { secretIn } from "../support/members-door.ts";

let cluster: LocalCluster;

beforeAll(async () => {
  cluster = await LocalCluster.start({ servers: 1, auth: "required" });
}, 60_000);
afterAll(() => cluster?.[Symbol.asyncDispose](), 30_000);

/**
 * Sends one payload of log-ins with wrong passwords, for each of two addresses as many as one
 * address may send at once. @returns how often each error code came
 */
async function logInFromTwo(addresses: readonly string[], gatewayKey?: KeyObject) {
  const requests = addresses.flatMap((via) =>
    Array.from({ length: limits.connectionAttempts }, (_, number) => {
      const data = { user: `nobody${number}`, password: "a wrong password", via, clock: 1 };
      return { service: "login", data };
    }),
  );
  const payload = await new Promise<Buffer>((onPayload) => {
    const events = { onPayload, onConnections: () => {}, onRefusal: () => {} };
    const pipe = new RequestPipe([cluster.endpoints.broker], events, { gatewayKey });
    void pipe.send(encode(requests));
    pipes.push(pipe);
  });
  const codes = (decode(payload, "msgpack") as { data: { code: string } }[]).map(
    ({ data }) => data.code,
  );
  return Object.fromEntries(
    ["unauthenticated", "rate_limited"].map((code) => [
      code,
      codes.filter((one) => one === code).length,
    ]),
  );
}

const pipes: RequestPipe[] = [];
afterAll(() => {
  for (const pipe of pipes) pipe.close();
});

const most = limits.connectionAttempts;

test("[X9] [A9] the log-ins of people behind a gateway count for each person's address", async () => {
  const key = secretIn(cluster.folder).deriveKey("gateway");
  const counts = await logInFromTwo(["192.0.2.1", "192.0.2.2"], key);
  expect(counts).toEqual({ unauthenticated: 2 * most, rate_limited: 0 });
}, 60_000);

test.each([
  ["no seal", () => undefined],
  ["a member's key", () => secretIn(cluster.folder).deriveKey("token")],
])(
  "[X9] [A9] log-ins count for their connection if the payload has %s, whatever addresses they state",
  async (_, key) => {
    const counts = await logInFromTwo(["192.0.2.3", "192.0.2.4"], key());
    expect(counts).toEqual({ unauthenticated: most, rate_limited: most });
  },
  60_000,
);
