import { afterAll, describe, expect, expectTypeOf, test } from "vitest";
import { Connection } from "../../src/client/connection.ts";
import {
  type ChannelName,
  parseChannelName,
  parseUserName,
  type UserName,
} from "../../src/protocol/ids.ts";
import type { ConversationName } from "../../src/protocol/topics.ts";

type Call = (...values: unknown[]) => Promise<unknown>;

describe("a wrong call of the client library", () => {
  const connection = new Connection({ brokers: [], proxies: [] });
  const client = connection.session({ user: parseUserName("ana") });
  /** `client` without its types, as a JavaScript program sees it. */
  const untyped = client as unknown as Record<string, Call>;
  const Untyped = Connection as unknown as new (...values: unknown[]) => unknown;
  const untypedConnection = connection as unknown as Record<string, Call>;
  afterAll(() => connection.close());

  test("[C9] a plain string as a name, or a user name as a channel name, does not compile", () => {
    expectTypeOf(client.login).parameter(0).toEqualTypeOf<UserName>();
    expectTypeOf(client.register).parameter(0).toEqualTypeOf<UserName>();
    expectTypeOf(client.changePassword).parameter(0).toEqualTypeOf<UserName>();
    expectTypeOf(client.createChannel).parameter(0).toEqualTypeOf<ChannelName>();
    expectTypeOf(client.publish).parameter(0).toEqualTypeOf<ChannelName>();
    expectTypeOf(client.message).parameter(0).toEqualTypeOf<UserName>();
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
    ["publish", ["geral"], "message"],
    ["publish", [{ channel: "geral" }, "Oi"], "channel"],
    ["publish", ["geral", "Oi", "an-id"], "options"],
    ["publish", ["geral", "Oi", { id: 7 }], "id"],
    ["message", [undefined, "Oi"], "dst"],
    ["message", ["bia", 7], "message"],
    ["history", ["#geral"], "name"],
    ["search", ["#geral", "oi"], "name"],
    ["search", [{ channel: "geral" }], "words"],
    ["subscribe", [{}], "name"],
    ["subscribe", [undefined, () => {}], "name"],
    ["subscribe", [{ channel: "geral" }], "onEntry"],
    ["subscribe", [{ channel: "geral" }, () => {}, null], "options"],
    ["presence", [], "state"],
    ["ask", ["nothing", {}], "service"],
    ["ask", ["constructor", {}], "service"],
    ["ask", ["users"], "data"],
  ])(
    "[C9] in JavaScript, the call %s with %j sends nothing and fails with an error that names the wrong argument",
    async (name, values, argument) => {
      const call = untyped[name] as Call;
      const error = await call.apply(client, values).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(TypeError);
      expect((error as TypeError).message).toMatch(new RegExp(`^\`${argument}\` .*\\.$`));
      expect(connection.open).toBe(0);
    },
  );

  test("[C9] publishing in a session without a user fails with an error that tells the program to log in first", async () => {
    const nobody = connection.session();
    await expect(nobody.publish(parseChannelName("geral"), "Oi")).rejects.toThrow(
      new TypeError("`user` is not known: log in first, or give the session its user."),
    );
  });

  test.each([
    ["a connection without options", () => new Untyped(), "options"],
    [
      "a connection whose list of brokers is a string",
      () => new Untyped({ brokers: "tcp://a:1" }),
      "brokers",
    ],
    ["a connection without a list of proxies", () => new Untyped({ brokers: [] }), "proxies"],
    [
      "a session whose options are a string",
      () => untypedConnection.session?.("a token"),
      "options",
    ],
    [
      "a session whose token is not a string",
      () => untypedConnection.session?.({ token: 7 }),
      "token",
    ],
    [
      "a session whose user is not a string",
      () => untypedConnection.session?.({ user: {} }),
      "user",
    ],
  ])(
    "[C9] in JavaScript, creating %s throws an error that names the wrong argument",
    (_title, make, argument) => {
      expect(make).toThrow(TypeError);
      expect(make).toThrow(new RegExp(`^\`${argument}\` .*\\.$`));
    },
  );
});
