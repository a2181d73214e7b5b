import { describe, expect, test } from "vitest";
import type { Service } from "../../src/protocol/client-messages.ts";
import { parseReply } from "../../src/protocol/parse-reply.ts";
import { IncompleteReply } from "../../src/protocol/replies.ts";
import { type Fields, Scene } from "../support/account-scene.ts";

const receipt = {
  id: "a",
  server: "server_00000001",
  seq: 7,
  clock: 9,
  timestamp: "2026-01-01T00:00:00.000Z",
  durable: ["server_00000001"],
};
const writes: Service[] = ["login", "removal", "channel", "publish", "message"];

/** The value without undefined fields, which are not sent. */
function plain(value: object): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** A client's request for each service, in an order in which all succeed. */
function requests(operator: string): [Service, Fields][] {
  const write = { user: "ana", channel: "geral", message: "Oi" };
  return [
    ["login", { user: "ana", password: "ana's" }],
    ["channel", { channel: "geral", user: "ana" }],
    ["channel", { channel: "café", user: "ana" }],
    ["publish", write],
    ["publish", write],
    ["message", { src: "ana", dst: "ana", message: "Oi" }],
    ["users", {}],
    ["channels", {}],
    ["channels", { limit: 1 }],
    ["history", { channel: "geral" }],
    ["history", { channel: "geral", limit: 1 }],
    ["history", { user: "ana" }],
    ["search", { channel: "geral", words: "oi" }],
    ["search", { channel: "geral", words: "oi", limit: 1 }],
    ["time", {}],
    ["status", {}],
    ["keys", { topics: ["#geral\0"] }],
    ["presence", { user: "ana", client: "1", state: "away" }],
    ["register", { user: "eva", password: "eva's" }],
    ["account", { user: "ana", administrator: true, token: operator }],
    ["registration", { mode: "closed", token: operator }],
    ["removal", { channel: "café", removed: true, token: operator }],
    ["password", { user: "ana", password: "ana's", newPassword: "new" }],
  ];
}

describe("a client's parser of replies", () => {
  test("[W8] a client parses the replies of every service without changing their fields", () => {
    const scene = new Scene();
    const token = scene.user("ana");
    const asked = requests(scene.operator);
    expect(new Set(asked.map(([service]) => service)).size).toBe(17);
    for (const [service, data] of asked) {
      const reply = scene.ask(service, { token, ...data });
      const status = service === "login" || service === "channel" ? "sucesso" : "OK";
      expect({ service, ...reply }).toMatchObject({ service, status });
      // Leaves out the fields that every reply has, and `users`, the second name of the list of
      // channels.
      const { status: _status, clock, timestamp, grant, users, ...own } = reply;
      const told = service === "channels" ? own : { ...own, users };
      expect(plain(parseReply(service, reply))).toEqual(plain(told));
    }
  });

  test.each(writes)(
    "[C8] a reply of the service %s is refused if the receipt in the reply is missing or incomplete",
    (service) => {
      expect(parseReply(service, { entry: receipt })).toMatchObject({ entry: receipt });
      const odd = [undefined, null, "done", [receipt], { ...receipt, durable: [7] }];
      const lacking = Object.keys(receipt).map((field) => ({ ...receipt, [field]: undefined }));
      for (const entry of [...odd, ...lacking]) {
        expect(() => parseReply(service, { entry })).toThrow(IncompleteReply);
      }
    },
  );

  test.each<[Service, string, unknown[]]>([
    ["users", "users", [undefined, "ana", [7], { 0: "ana" }]],
    ["channels", "channels", [undefined, "geral", [null]]],
    ["time", "time", [undefined, 7]],
    ["history", "entries", [undefined, [{}], {}]],
    ["search", "entries", [undefined, [{}], {}]],
  ])("[C8] a reply to %s without a valid `%s` is refused", (service, field, values) => {
    const rest: Fields = { users: [], seen: {} };
    for (const value of values) {
      expect(() => parseReply(service, { ...rest, [field]: value })).toThrow(`\`${field}\``);
    }
  });

  test("[C8] unknown fields of a reply are ignored, and invalid optional fields are left out", () => {
    const odd = { server: "somebody", newer: 1, next: 7, account: { server: "x", seq: 1 } };
    expect(parseReply("users", { ...odd, users: ["ana"] })).toEqual({ users: ["ana"] });
    expect(parseReply("register", odd)).toEqual({});
    const present = [{ user: "ana", state: "online" }, { user: "bia", state: "gone" }, 7];
    expect(parseReply("presence", { ...odd, present })).toEqual({ present: present.slice(0, 1) });
    const days = [{ day: 1, key: "k" }, { day: "2", key: "k" }, null];
    const keys = { "#geral\0": days, "@ana\0": 7 };
    const read = { "#geral\0": days.slice(0, 1), "@ana\0": [] };
    expect(parseReply("keys", { ...odd, keys, publisher: 7 })).toEqual({ keys: read, also: [] });
    const also = [{ keys, publisher: "p", newer: 1 }, 7];
    expect(parseReply("keys", { keys, also })).toEqual({
      ...{ keys: read },
      also: [{ keys: read, publisher: "p" }, { keys: {} }],
    });
  });
});
