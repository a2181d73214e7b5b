import { expect, test } from "vitest";
import { addressesOf, splitKey, withKey } from "../../src/platform/endpoint.ts";
import { Settings } from "../../src/platform/settings.ts";

const key = "0123456789abcdef".repeat(4);
const other = "f".repeat(64);

test("[X6] an endpoint carries the key of who is bound there, or none", () => {
  expect(splitKey(`tcp://a:1#${key}`)).toEqual({ address: "tcp://a:1", key });
  expect(splitKey(`ipc:///tmp/a#${key}`)).toEqual({ address: "ipc:///tmp/a", key });
  expect(splitKey("tcp://a:1")).toEqual({ address: "tcp://a:1", key: undefined });
  expect(splitKey("ipc:///tmp/a#1")).toEqual({ address: "ipc:///tmp/a#1", key: undefined });
});

test("[X6] a cluster's key goes to the endpoints that have none", () => {
  const mixed = ["tcp://a:1", `tcp://b:2#${other}`];
  expect(withKey(mixed, key)).toEqual([`tcp://a:1#${key}`, `tcp://b:2#${other}`]);
  expect(withKey(mixed, undefined)).toEqual(mixed);
  expect(addressesOf(mixed)).toBe("tcp://a:1, tcp://b:2");
});

test("[X6] a list takes endpoints with keys and without", () => {
  const settings = (broker: string) => new Settings({ broker }, {});
  const list = `tcp://a:1#${key}, ipc:///tmp/a,tcp://b:2`;
  expect(settings(list).get("broker")).toEqual([`tcp://a:1#${key}`, "ipc:///tmp/a", "tcp://b:2"]);
  for (const wrong of [
    `tcp://a:1#${key.slice(1)}`,
    `tcp://a:1#${key}0`,
    "tcp://a:1#",
    "tcp://#1",
  ]) {
    expect(() => settings(wrong).get("broker"), wrong).toThrow("has 64 hex digits");
  }
});

test("[X6] nobody is bound at an endpoint with a key", () => {
  const settings = new Settings({ bind: `tcp://127.0.0.1:1#${key}` }, {});
  expect(() => settings.get("bind")).toThrow("--bind: ");
  expect(() => settings.get("bind")).toThrow("no key belongs where it is bound");
});

test("an endpoint names a host and a port", () => {
  const read = (broker: string) => new Settings({ broker }, {}).get("broker");
  for (const right of ["tcp://a:1", "tcp://127.0.0.1:65535", "tcp://[::1]:5555", "tcp://*:*"]) {
    expect(read(right), right).toEqual([right]);
  }
  for (const wrong of [
    "tcp://127.0.0.1:65536",
    "tcp://[::1",
    "tcp://::1:5555",
    "tcp://a:1/",
    "tcp://a",
    "tcp://:1",
    "tcp://a:one",
    "tcp://a:-1",
  ]) {
    expect(() => read(wrong), wrong).toThrow("is no endpoint");
  }
});

test("a value from a file of settings with the line ends of Windows has no CR", () => {
  const settings = new Settings({}, { TERTULIA_INVITATION: "abc\r", TERTULIA_USER: "\r" });
  expect(settings.optional("invitation")).toBe("abc");
  expect(settings.optional("user")).toBeUndefined();
});
