import { expect, test } from "vitest";
import { readSecret } from "../../src/platform/secret.ts";
import type { SentReply } from "../../src/protocol/client-messages.ts";
import { limits } from "../../src/protocol/limits.ts";
import { ClientWire } from "../../src/server/client-wire.ts";
import { ownTables } from "../../src/server/core/services.ts";

test("[O50] replies that do not fit into a frame are counted as `too_large`, as they are sent", async () => {
  let counted: readonly SentReply[] = [];
  const wire = new ClientWire({
    auth: "open",
    secret: readSecret({ text: "0123456789abcdef", path: "", isDefault: false, cluster: "test" }),
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
