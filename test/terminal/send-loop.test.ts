import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ChatEvent } from "../../src/client/core/chat-events.ts";
import { parseTarget, type Target } from "../../src/client/core/target.ts";
import { OriginalServerError } from "../../src/client/original-server.ts";
import { Outbox } from "../../src/client/outbox.ts";
import { SendLoop } from "../../src/client/terminal/send-loop.ts";
import type { Log } from "../../src/platform/log.ts";
import { ProtocolError } from "../../src/protocol/errors.ts";
import { textsIn } from "../../src/texts/texts.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { sessionOf } from "./chat-session-of.ts";

let folder: TemporaryFolder;
let outbox: Outbox;

beforeEach(async () => {
  folder = await temporaryFolder();
  outbox = Outbox.open(folder.path, () => textsIn("en"));
});

afterEach(async () => {
  vi.useRealTimers();
  outbox.close();
  await folder[Symbol.asyncDispose]();
});

const target = (text: string) => parseTarget(text) as Target;

test("a message that can't be sent yet delays only later messages of its conversation, and is logged once", async () => {
  vi.useFakeTimers();
  const asked: string[] = [];
  let isDown = true;
  const client = {
    publish: async (channel: string, text: string) => {
      asked.push(text);
      if (channel === "down" && isDown) throw new ProtocolError("unavailable", "No majority.");
      return { durable: [] };
    },
  };
  const events: ChatEvent[] = [];
  const warn = vi.fn();
  const sending = new SendLoop({
    session: sessionOf(client),
    outbox,
    log: { warn } as unknown as Log,
    dispatch: (event) => events.push(event),
    watch: (work) => void work,
  });
  for (const text of ["down 1", "down 2", "up 1"]) {
    sending.add(target(`#${text.slice(0, -2)}`), text);
  }
  const sent = () => events.flatMap((event) => (event.type === "sent" ? event.outgoing.text : []));
  await vi.advanceTimersByTimeAsync(100);
  expect(sent()).toEqual(["up 1"]);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(warn).toHaveBeenCalledTimes(1);
  expect(asked.length).toBeLessThan(200);
  expect(asked).not.toContain("down 2");
  isDown = false;
  await vi.advanceTimersByTimeAsync(5_000);
  expect(sent()).toEqual(["up 1", "down 1", "down 2"]);
  expect(outbox.waiting).toEqual([]);
});

test.each(["accepted", "refused", "unreadable", "silent"] as const)(
  "[C8] a message that gets the outcome %s from a server of the original protocol is sent once and shown as refused",
  async (outcome) => {
    vi.useFakeTimers();
    const asked: string[] = [];
    const client = {
      publish: async (_channel: string, text: string) => {
        asked.push(text);
        throw new OriginalServerError(outcome, "publish", "Não");
      },
    };
    const events: ChatEvent[] = [];
    const sending = new SendLoop({
      session: sessionOf(client),
      outbox,
      log: { warn: () => {} } as unknown as Log,
      dispatch: (event) => events.push(event),
      watch: (work) => void work,
    });
    sending.add(target("#geral"), "Oi");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toEqual(["Oi"]);
    expect(outbox.waiting).toEqual([]);
    expect(events.map(({ type }) => type)).toEqual(["queued", "refused"]);
  },
);
