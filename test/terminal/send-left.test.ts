import { afterEach, beforeEach, expect, test } from "vitest";
import type { Context } from "../../src/client/commands/context.ts";
import { parseTarget, type Target } from "../../src/client/core/target.ts";
import { Outbox } from "../../src/client/outbox.ts";
import { sendLeft } from "../../src/client/terminal/send-left.ts";
import { ProtocolError } from "../../src/protocol/errors.ts";
import { textsIn } from "../../src/texts/texts.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { sessionOf } from "./chat-session-of.ts";

const text = textsIn("en");
let folder: TemporaryFolder;
let outbox: Outbox;

beforeEach(async () => {
  folder = await temporaryFolder();
  outbox = Outbox.open(folder.path, () => text);
});

afterEach(async () => {
  outbox.close();
  await folder[Symbol.asyncDispose]();
});

test("[C5] `sendLeft` reports and drops refused messages, and keeps messages that can't be sent yet", async () => {
  for (const said of ["#up one\ntwo", "#none refused", "#down first", "#up behind", "#down last"]) {
    const [, target = "", message = ""] = /^(\S+) (.*)$/s.exec(said) ?? [];
    outbox.add(parseTarget(target) as Target, "ana" as never, message);
  }
  const asked: string[] = [];
  const client = {
    connection: { state: "connected" },
    publish: async (channel: string, message: string) => {
      asked.push(message);
      if (channel === "none") throw new ProtocolError("channel_not_found", "There is none.");
      if (channel === "down") throw new ProtocolError("unavailable", "No majority.");
      return { durable: [] };
    },
  };
  const told: string[] = [];
  const tell = (line: string) => told.push(line);
  const context = { config: {}, text, output: { note: tell, error: tell } } as unknown as Context;
  const session = sessionOf(client, { context });
  expect(await sendLeft(session, outbox)).toBe(1);
  expect(asked).toEqual(["one\ntwo", "refused", "first"]);
  expect(outbox.waiting.map((outgoing) => outgoing.text)).toEqual(["first", "behind", "last"]);
  expect(told).toEqual([
    "Left by an earlier chat and sent now: #up one␊two",
    `tertulia: ${text("error.channel_not_found")} Left by an earlier chat and not sent: #none refused`,
    `tertulia: ${text("error.unavailable")} Not sent yet, but kept for your next chat: 3.`,
  ]);
});
