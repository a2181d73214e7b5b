import { expect, test } from "vitest";
import { advertised } from "../../src/net/socket.ts";
import { addressesOf, splitKey, withKey } from "../../src/platform/endpoint.ts";
import { protect } from "../../src/platform/reach.ts";
import { Settings } from "../../src/platform/settings.ts";

const key = "0123456789abcdef".repeat(4);
const other = "f".repeat(64);

test("[X6] an endpoint may end with # and the public key of the process bound there", () => {
  expect(splitKey(`tcp://a:1#${key}`)).toEqual({ address: "tcp://a:1", key });
  expect(splitKey(`ipc:///tmp/a#${key}`)).toEqual({ address: "ipc:///tmp/a", key });
  expect(splitKey("tcp://a:1")).toEqual({ address: "tcp://a:1", key: undefined });
  expect(splitKey("ipc:///tmp/a#1")).toEqual({ address: "ipc:///tmp/a#1", key: undefined });
});

test("[X6] the cluster's key is added to endpoints without a key, and replaces no other key", () => {
  const mixed = ["tcp://a:1", `tcp://b:2#${other}`];
  expect(withKey(mixed, key)).toEqual([`tcp://a:1#${key}`, `tcp://b:2#${other}`]);
  expect(withKey(mixed, undefined)).toEqual(mixed);
  expect(addressesOf(mixed)).toBe("tcp://a:1, tcp://b:2");
});

test("[X6] a list may mix endpoints with and without keys, and each key must have 64 hex digits", () => {
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

test("[X6] an endpoint that a process is to bind is refused if the endpoint has a key", () => {
  const settings = new Settings({ bind: `tcp://127.0.0.1:1#${key}` }, {});
  expect(() => settings.get("bind")).toThrow("--bind: ");
  expect(() => settings.get("bind")).toThrow("no key belongs where it is bound");
});

const rightAnywhere = [
  "tcp://a:1",
  "tcp://127.0.0.1:65535",
  "tcp://[::1]:5555",
  "tcp://[fe80::1%eth0]:5555",
  "tcp://my_broker:5555",
  "tcp://broker.example.:5555",
  "tcp://xn--bcher-kva.example:1",
  "ipc:///tmp/a",
];

const wrongAnywhere = [
  "",
  "tcp://127.0.0.1:65536",
  "tcp://127.0.0.1:5555x",
  "tcp://127.0.0.1: 5555",
  "tcp://[::1",
  "tcp://[::1]",
  "tcp://[::1:5555",
  "tcp://::1:5555",
  "tcp://[127.0.0.1]:5555",
  "tcp://[zz]:5555",
  "tcp://[]:5555",
  "tcp://a:1/",
  "tcp://a:1/x",
  "tcp://a",
  "tcp://a:",
  "tcp://:1",
  "tcp://a:one",
  "tcp://a:-1",
  "tcp://a:0x10",
  "tcp://a b:1",
  "tcp://ana@a:1",
  "tcp://a;b:1",
  "tcp://127.0.0.1:0;127.0.0.1:5555",
  "tcp://-a:1",
  "tcp://a..b:1",
  "tcp://999.1.1.1:1",
  "tcp://127.1:1",
  `tcp://${"a".repeat(64)}:1`,
  `tcp://${"a.".repeat(127)}a:1`,
  "tcp://bücher.example:1",
  "tcp://*.example:1",
  "TCP://a:1",
  "tcp:a:1",
  "a:1",
  "127.0.0.1:5555",
  "http://a:1",
  "inproc://a",
  "ipc://",
  "ipc://a b",
  "ipc://@a",
  "ipc://*",
  `ipc:///${"a".repeat(107)}`,
];

const wrongWhereItConnects = ["tcp://a:0", "tcp://a:*", "tcp://*:1", "tcp://*:*"];

test("an endpoint to connect to must name a host and a port", () => {
  const read = (broker: string) => new Settings({ broker }, {}).get("broker");
  for (const right of rightAnywhere) expect(read(right), right).toEqual([right]);
  for (const wrong of [...wrongAnywhere, ...wrongWhereItConnects]) {
    expect(() => read(wrong), wrong).toThrow("is not an endpoint");
  }
});

test("an endpoint to bind may have * for its host, and * or 0 for its port", () => {
  const read = (bind: string) => new Settings({ bind }, {}).get("bind");
  for (const right of [...rightAnywhere, ...wrongWhereItConnects, "tcp://[::]:0"]) {
    expect(read(right), right).toBe(right);
  }
  for (const wrong of wrongAnywhere) expect(() => read(wrong), wrong).toThrow("is not an endpoint");
});

test("a list of endpoints is refused if it has an empty entry or names an endpoint twice", () => {
  const read = (broker: string) => new Settings({ broker }, {}).get("broker");
  expect(read(" tcp://a:1 ,tcp://b:1")).toEqual(["tcp://a:1", "tcp://b:1"]);
  for (const wrong of [",", "tcp://a:1,", ",tcp://a:1", "tcp://a:1,,tcp://b:1"]) {
    expect(() => read(wrong), wrong).toThrow("an endpoint is missing beside a comma");
  }
  for (const wrong of ["tcp://a:1,tcp://a:1", `tcp://a:1,tcp://b:1,tcp://a:1#${key}`]) {
    expect(() => read(wrong), wrong).toThrow('"tcp://a:1" is named twice');
  }
});

test("the error for a host name with letters beyond ASCII shows the ASCII form of the name", () => {
  const settings = new Settings({}, { TERTULIA_BROKER: "tcp://bücher.example:5555" });
  expect(() => settings.get("broker")).toThrow(
    'TERTULIA_BROKER: "tcp://bücher.example:5555" won\'t do: "tcp://bücher.example:5555" is not ' +
      "an endpoint: its host is written xn--bcher-kva.example; write it as tcp://host:port.",
  );
});

test("[O9] an advertised host must be one that other processes can reach", () => {
  const read = (advertise: string) => new Settings({ advertise }, {}).get("advertise");
  for (const [said, meant] of [
    ["10.0.0.1", "10.0.0.1"],
    ["broker.example", "broker.example"],
    ["::1", "::1"],
    ["[fd00::2]", "fd00::2"],
    ["tcp://a:1", "tcp://a:1"],
    ["tcp://[fd00::2]:1", "tcp://[fd00::2]:1"],
  ] as const) {
    expect(read(said)).toBe(meant);
  }
  for (const wrong of [
    "a:5555",
    "[a]",
    "*",
    "0.0.0.0",
    "::",
    "a b",
    "http://a:1",
    "tcp://a",
    "tcp://a:0",
    "tcp://*:1",
    `tcp://a:1#${key}`,
  ]) {
    expect(() => read(wrong), wrong).toThrow("--advertise: ");
  }
});

test("[O9] an advertised IPv6 address is put in brackets", () => {
  expect(advertised("tcp://[::]:5555", "fd00::2")).toBe("tcp://[fd00::2]:5555");
  expect(advertised("tcp://0.0.0.0:5555", "fd00::2")).toBe("tcp://[fd00::2]:5555");
  expect(advertised("tcp://[::]:5555", "a")).toBe("tcp://a:5555");
  expect(advertised("tcp://[::1]:5555", "a")).toBe("tcp://[::1]:5555");
  expect(advertised("tcp://0.0.0.0:5555", "tcp://[fd00::2]:1")).toBe("tcp://[fd00::2]:1");
});

test("[X3] a process bound to a loopback address needs no --insecure, and a process bound to another address needs it", () => {
  const settings = new Settings({}, {});
  for (const loopback of [
    "tcp://127.0.0.1:1",
    "tcp://127.8.9.10:1",
    "tcp://[::1]:*",
    "tcp://[0:0:0:0:0:0:0:1]:1",
    "tcp://[::ffff:127.0.0.1]:1",
    "tcp://localhost:1",
    "tcp://ip6-localhost:1",
    "ipc:///tmp/a",
  ]) {
    expect(() => protect(settings, loopback), loopback).not.toThrow();
  }
  for (const beyond of [
    "tcp://*:1",
    "tcp://0.0.0.0:1",
    "tcp://[::]:1",
    "tcp://10.0.0.1:1",
    "tcp://[fd00::1]:1",
    "tcp://[::1:1]:1",
    "tcp://127.example:1",
    "tcp://localhost.example:1",
  ]) {
    expect(() => protect(settings, beyond), beyond).toThrow("reachable from other machines");
  }
});

test("a value from a settings file with Windows line ends has no CR", () => {
  const settings = new Settings({}, { TERTULIA_INVITATION: "abc\r", TERTULIA_USER: "\r" });
  expect(settings.optional("invitation")).toBe("abc");
  expect(settings.optional("user")).toBeUndefined();
});

test("an empty flag for a folder or a file is refused, and an empty environment variable counts as not set", () => {
  for (const name of ["data", "secretFile", "serverKeyFile", "passwordFile"] as const) {
    expect(() => new Settings({ [name]: "" }, {}).optional(name), name).toThrow("it is empty");
  }
  expect(new Settings({}, { TERTULIA_DATA: "" }).get("data")).toBe("./data");
});
