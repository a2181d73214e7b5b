import { describe, expect, test } from "vitest";
import { ReferenceLink } from "../../src/net/reference-link.ts";
import { ReferenceWatch } from "../../src/net/reference-watch.ts";
import type { Log } from "../../src/platform/log.ts";
import { member } from "../support/members.ts";
import { type StandInAnswer, StandInServer } from "../support/stand-in-server.ts";
import { until } from "../support/until.ts";

interface Watched extends Disposable {
  readonly lines: string[];
  readonly link: ReferenceLink;
}

/** Sends heartbeats to the endpoint as a member does, and collects the lines of its log. */
function beating(endpoint: string, everyMs = 50): Watched {
  const lines: string[] = [];
  const write = (line: string) => lines.push(line);
  const { clock, seals } = member("a");
  const watch = new ReferenceWatch([endpoint], { info: write, warn: write } as unknown as Log);
  const link = new ReferenceLink([endpoint], clock, { seals, watch });
  const beat = () => link.ask("heartbeat", { user: "a" }, 200).catch(() => {});
  const timer = setInterval(beat, everyMs);
  const dispose = () => {
    clearInterval(timer);
    link.close();
  };
  return { lines, link, [Symbol.dispose]: dispose };
}

const foreign: Readonly<Record<string, StandInAnswer>> = {
  "a list of names and ranks": ({ service }) => ({
    service,
    data: { list: [{ name: "s1", rank: 1 }], timestamp: "", clock: 3 },
  }),
  "a clock that is a string": ({ service }) => ({ service, data: { list: [], clock: "3" } }),
  "an error": ({ service }) => ({ service, data: { status: "erro", message: "Não sei" } }),
  "an array": () => [1, 2],
  "no MessagePack": () => new Uint8Array([0xc1]),
  "an invalid view": ({ service }) => ({ service, data: { list: [], view: null } }),
};

describe("[O48] a reference of the original protocol", { timeout: 20_000 }, () => {
  test.each(Object.entries(foreign))(
    "a member logs once that a reference answers with %s, and sends this reference no sealed message",
    async (_name, answer) => {
      using server = await StandInServer.start(answer);
      using process = beating(server.endpoint);
      await until(() => server.asked.length >= 2, "it is asked again, seconds later");
      expect(process.lines).toEqual([
        expect.stringMatching(/^The reference at .* speaks only the original protocol/),
      ]);
      const services = server.asked.map((request) => (request as { service: string }).service);
      expect(new Set(services)).toEqual(new Set(["list"]));
      expect(server.sealed).toBe(0);
    },
  );

  test("a member logs that its reference has the original protocol, and logs when a Tertulia reference has replaced this reference", async () => {
    using server = await StandInServer.start(foreign["an error"] as StandInAnswer);
    using process = beating(server.endpoint);
    await until(() => process.lines.length === 1, "the foreign one is told");
    const view = { number: 0, members: [] };
    server.answer = ({ service }) => ({
      service,
      data: { status: "OK", list: [], view, clock: 1 },
    });
    await until(() => process.lines.length === 2, "ours is told");
    expect(process.lines[1]).toMatch(/is there$/);
  });
});

test("[O48] a member logs within 5 s, and only once, that its reference does not answer", {
  timeout: 20_000,
}, async () => {
  using server = await StandInServer.start(() => undefined);
  using process = beating(server.endpoint);
  const startMs = Date.now();
  await until(() => process.lines.length > 0, "it is told", 5_000);
  expect(Date.now() - startMs).toBeGreaterThan(2_000);
  expect(process.lines).toEqual([expect.stringMatching(/^No reference answers at /)]);
  await until(() => Date.now() - startMs > 5_000, "some more beats");
  expect(process.lines).toHaveLength(1);
});

test("[O48] a process that stops does not log a silent reference, because the reference may have stopped first", {
  timeout: 20_000,
}, async () => {
  using server = await StandInServer.start(() => undefined);
  using stopping = beating(server.endpoint);
  stopping.link.expectSilence();
  using other = beating(server.endpoint);
  await until(() => other.lines.length > 0, "the other process logs the silence", 10_000);
  const asked = server.asked.length;
  await until(() => server.asked.length >= asked + 10, "both ask some more times");
  expect(stopping.lines).toEqual([]);
});
