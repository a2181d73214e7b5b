import { expect, test } from "vitest";
import { conversationOf } from "../../src/client/core/conversation.ts";
import { parseChannel, parseTarget, parseUser, writeTarget } from "../../src/client/core/target.ts";
import type { ServerName, UserName } from "../../src/protocol/ids.ts";
import type { PrivateEntry } from "../../src/protocol/publications.ts";

test("a target is parsed as a channel (#) or a user (@)", () => {
  expect(parseTarget("#geral")).toEqual({ channel: "geral" });
  expect(parseTarget("@ana")).toEqual({ user: "ana" });
  expect(parseTarget("#são-joão")).toEqual({ channel: "são-joão" });
  for (const wrong of ["geral", "", "#", "@", "#a b", "@.x", "#servers", `#${"x".repeat(65)}`]) {
    expect(parseTarget(wrong), wrong).toBeUndefined();
  }
});

test("`parseChannel` and `parseUser` accept a name without its sign", () => {
  expect(parseChannel("geral")).toBe("geral");
  expect(parseChannel("#geral")).toBe("geral");
  expect(parseUser("ana")).toBe("ana");
  expect(parseUser("@ana")).toBe("ana");
  expect(parseUser("#ana")).toBeUndefined();
});

test("`writeTarget` gives back the text from which a target was parsed", () => {
  for (const text of ["#geral", "@ana"]) {
    const target = parseTarget(text);
    expect(target && writeTarget(target)).toBe(text);
  }
});

const me = () => "bia" as UserName;
const between = (src: string, dst: string): PrivateEntry => ({
  src: src as UserName,
  dst: dst as UserName,
  message: "",
  timestamp: "",
  clock: 1,
  id: "",
  server: "server_00000001" as ServerName,
  seq: 1,
});

test("a target that is a user selects the private messages between this user and me", () => {
  const { name, with: other, has } = conversationOf({ user: "ana" as UserName }, me);
  expect(name).toEqual({ user: "bia" });
  expect(other).toBe("ana");
  expect(has(between("ana", "bia"))).toBe(true);
  expect(has(between("bia", "ana"))).toBe(true);
  expect(has(between("caio", "bia"))).toBe(false);
});

test("my own name as a target selects all my private messages", () => {
  const { has } = conversationOf({ user: me() }, me);
  expect(has(between("caio", "bia"))).toBe(true);
});
