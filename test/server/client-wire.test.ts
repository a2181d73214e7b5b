import { expect, test } from "vitest";
import { Connection } from "../../src/client/connection.ts";
import { Sessions } from "../../src/net/sessions.ts";
import { readSecret } from "../../src/platform/secret.ts";
import type { ParsedRequest, SentReply, Session } from "../../src/protocol/client-messages.ts";
import type { UserName } from "../../src/protocol/ids.ts";
import { limits } from "../../src/protocol/limits.ts";
import { ClientWire } from "../../src/server/client-wire.ts";
import { ownTables } from "../../src/server/core/services.ts";
import { Closing, localBroker } from "../support/local-wires.ts";
import { until } from "../support/until.ts";

const text = "0123456789abcdef";
const secret = readSecret({ text, path: "", isDefault: false, cluster: "test" });

test.each(["open", "required"] as const)(
  "[A3] with --auth %s the operator's token proves a session, and a user's token only with accounts",
  async (auth) => {
    await using closing = new Closing();
    const broker = closing.add(await localBroker());
    const heard = new Map<unknown, Session | undefined>();
    const wire = closing.add(
      new ClientWire({
        auth,
        secret,
        brokers: [broker.back],
        log: { write() {} },
        parsers: ownTables.services,
        onRequests: ({ requests: [request] }) => {
          const { token, session } = request as ParsedRequest;
          heard.set(token, session);
        },
        onAnswered() {},
      }),
    );
    wire.start();
    wire.rotate(true);
    const sessions = new Sessions(secret.deriveKeys("token"));
    const tokens = [
      sessions.giveOperator(0),
      sessions.give({ user: "ana" as UserName, version: "1" }, 0),
      "forged",
    ];
    const connection = closing.add(new Connection({ brokers: [broker.front], proxies: [] }));
    for (const token of tokens) {
      // Nobody answers.
      connection
        .session({ token })
        .ask("time", {})
        .catch(() => {});
      await until(() => heard.has(token), "the request has come");
    }
    const users = tokens.map((token) => heard.get(token)?.user);
    expect(users).toEqual(["operator", auth === "open" ? undefined : "ana", undefined]);
  },
);

test("[O50] replies that do not fit into a frame are counted as `too_large`, as they are sent", async () => {
  let counted: readonly SentReply[] = [];
  const wire = new ClientWire({
    auth: "open",
    secret,
    brokers: [],
    log: { write() {} },
    parsers: ownTables.services,
    onRequests() {},
    onAnswered: (replies) => {
      counted = replies;
    },
  });
  const data = { status: "OK", clock: 1, timestamp: "2026-01-01T00:00:00.000Z" } as const;
  const users = ["a".repeat(limits.frameBytes)];
  wire.reply({
    type: "reply",
    to: { envelope: [], heardMs: 0, format: "json" },
    batch: false,
    replies: [{ service: "users", data: { ...data, users } }],
  } as never);
  expect(counted.map(({ data: { code } }) => code)).toEqual(["too_large"]);
  await wire.close();
});
