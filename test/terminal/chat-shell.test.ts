import { expect, test } from "vitest";
import type { ClientEvents, Context } from "../../src/client/commands/context.ts";
import { nothingSaved } from "../../src/client/core/chat-model.ts";
import { ChatShell, type ChatShellParts } from "../../src/client/terminal/chat-shell.ts";
import { pause } from "../../src/platform/clock.ts";
import { ProtocolError } from "../../src/protocol/errors.ts";
import { textsIn } from "../../src/texts/texts.ts";

const nothing = { [Symbol.dispose]: () => {}, suspend: () => {} };
const terminal = {
  columns: 80,
  rows: 24,
  ...Object.fromEntries(
    ["on", "off", "write", "pause", "resume", "setRawMode"].map((name) => [name, () => {}]),
  ),
};
const host = {
  input: terminal,
  output: terminal,
  onEnd: () => nothing,
  onSuspend: () => nothing,
  onWarning: () => nothing,
};

/**
 * The parts of a chat whose client gets no answer to any request but presence reports, which
 * `presence` answers.
 */
function partsOf(presence: () => Promise<never>, events: ClientEvents): ChatShellParts {
  const context = { text: textsIn("en"), language: "en", host, output: { look: {} } };
  const client = {
    connection: { state: "connected" },
    channels: () => new Promise(() => {}),
    presence,
  };
  const files = { read: () => nothingSaved, saveNow: () => {} };
  return {
    context: context as unknown as Context,
    client,
    events,
    user: "ana",
    files,
    outbox: { troubles: [], waiting: [] },
    log: { info: () => {}, warn: () => {} },
  } as unknown as ChatShellParts;
}

test("if a refusal says that the chat's session has ended, but no server confirms this, the chat goes on", async () => {
  const events: ClientEvents = {};
  let reports = 0;
  const presence = async () => {
    reports += 1;
    throw new ProtocolError("unavailable", "No server answered in time.");
  };
  const stopping = new AbortController();
  const running = new ChatShell(partsOf(presence, events)).run(stopping.signal);
  const ended = Promise.race([running.then(() => "ended"), pause(50).then(() => "goes on")]);
  events.onRefused?.(new ProtocolError("unauthenticated", "The session has ended."));
  expect(await ended).toBe("goes on");
  expect(reports).toBe(1);
  stopping.abort();
  await running;
});
