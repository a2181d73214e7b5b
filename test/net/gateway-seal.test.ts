import { createSecretKey, type KeyObject } from "node:crypto";
import { expect, test } from "vitest";
import { GatewaySeals } from "../../src/net/gateway-seal.ts";

const [own, other] = [1, 2].map((byte) => createSecretKey(Buffer.alloc(32, byte))) as [
  KeyObject,
  KeyObject,
];
const seals = new GatewaySeals([own]);
const others = new GatewaySeals([other]);
const payload = Buffer.from("a payload");

test("[X9] a gateway's seal is right for its own payload and key only", () => {
  const seal = seals.seal(payload);
  const envelope = [Buffer.from("1"), Buffer.alloc(16), seal, Buffer.alloc(0)];
  expect(seals.isSealed(envelope, payload)).toBe(true);
  expect(seals.isSealed(envelope, Buffer.from("b payload"))).toBe(false);
  expect(others.isSealed(envelope, payload)).toBe(false);
  for (const changed of [seal.subarray(1), Buffer.concat([seal, Buffer.from("x")])]) {
    expect(seals.isSealed([changed], payload)).toBe(false);
  }
  expect(seals.isSealed([], payload)).toBe(false);
  // While the cluster's secret changes, the keys of both secrets are accepted.
  expect(new GatewaySeals([other, own]).isSealed(envelope, payload)).toBe(true);
});
