import { afterAll, describe, expect, expectTypeOf, test } from "vitest";
import { ChatClient } from "../../src/client/chat-client.ts";
import type { ChannelName, UserName } from "../../src/protocol/ids.ts";
import type { ConversationName } from "../../src/protocol/topics.ts";

type Call = (...values: unknown[]) => Promise<unknown>;

describe("a wrong call of the client library", () => {
  const client = new ChatClient({ brokers: [], proxies: [] });
  /** As a program in JavaScript sees it. */
  const untyped = client as unknown as Record<string, Call>;
  afterAll(() => client.close());

  test("[C9] does not compile: texts are no names, and users' names are no channels'", () => {
    expectTypeOf(client.login).parameter(0).toEqualTypeOf<UserName>();
    expectTypeOf(client.register).parameter(0).toEqualTypeOf<UserName>();
    expectTypeOf(client.changePassword).parameter(0).toEqualTypeOf<UserName>();
    expectTypeOf(client.createChannel).parameter(0).toEqualTypeOf<ChannelName>();
    expectTypeOf(client.publish).parameter(0).toEqualTypeOf<UserName>();
    expectTypeOf(client.publish).parameter(1).toEqualTypeOf<ChannelName>();
    expectTypeOf(client.message).parameter(1).toEqualTypeOf<UserName>();
    expectTypeOf(client.subscribe).parameter(0).toEqualTypeOf<ConversationName>();
    expectTypeOf<string>().not.toExtend<UserName>();
    expectTypeOf<UserName>().not.toExtend<ChannelName>();
    expectTypeOf(client.ask<"time">)
      .returns.resolves.toHaveProperty("time")
      .toBeString();
    expectTypeOf(client.ask<"publish">)
      .parameter(1)
      .not.toEqualTypeOf<object>();
  });

  test.each([
    ["login", [], "user"],
    ["login", [{ user: "ana" }], "user"],
    ["register", ["ana"], "password"],
    ["changePassword", ["ana", "old"], "newPassword"],
    ["createChannel", [null], "channel"],
    ["publish", ["ana", "geral"], "message"],
    ["publish", ["ana", { channel: "geral" }, "Oi"], "channel"],
    ["message", ["ana", undefined, "Oi"], "dst"],
    ["message", ["ana", "bia", 7], "message"],
    ["history", ["#geral"], "name"],
    ["subscribe", [{}], "name"],
    ["presence", [], "state"],
    ["ask", ["nothing", {}], "service"],
    ["ask", ["constructor", {}], "service"],
    ["ask", ["users"], "data"],
  ])(
    "[C9] fails at once in JavaScript, as %s of %j does, with the argument's name",
    async (name, values, argument) => {
      const call = untyped[name] as Call;
      const error = await call.apply(client, values).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(TypeError);
      expect((error as TypeError).message).toMatch(new RegExp(`^\`${argument}\` .*\\.$`));
      expect(client.open).toBe(0);
    },
  );
});
