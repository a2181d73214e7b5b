import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { listSettings } from "../../src/client/commands/config.ts";
import { Output } from "../../src/client/commands/output.ts";
import { clientConfig } from "../../src/client/config.ts";
import type { Host } from "../../src/platform/host.ts";
import { rows, Settings } from "../../src/platform/settings.ts";
import { terminalLook } from "../../src/platform/terminal-look.ts";
import { textsIn } from "../../src/texts/texts.ts";

const text = textsIn("en");

function listed(settings: Settings, json: boolean): string[] {
  let written = "";
  const output = new Writable({
    write: (chunk, _encoding, done) => {
      written += String(chunk);
      done();
    },
  });
  const host = { output, errors: output } as unknown as Host;
  listSettings(settings, new Output(host, { json, look: terminalLook(false, {}) }), text);
  return written.trimEnd().split("\n");
}

test("`config` lists each setting with its value and its source", () => {
  const settings = new Settings({ user: "ana" }, { TERTULIA_BROKER: "tcp://h:1" });
  const lines = listed(settings, false);
  expect(lines).toHaveLength(1 + Object.keys(rows).length);
  expect(lines.find((line) => line.startsWith("user "))).toMatch(/ ana +flag$/);
  expect(lines.find((line) => line.startsWith("broker "))).toMatch(
    / tcp:\/\/h:1 +environment \(TERTULIA_BROKER\)$/,
  );
  expect(lines.find((line) => line.startsWith("data "))).toMatch(/ \.\/data +default$/);
  expect(lines.find((line) => line.startsWith("front "))).toMatch(/ \(none\) +default$/);
});

test("`config --json` prints each setting as one JSON object on a line", () => {
  const objects = listed(new Settings({ leaveOnStop: true }, {}), true).map(
    (line) => JSON.parse(line) as Record<string, unknown>,
  );
  expect(objects).toContainEqual({
    setting: "leaveOnStop",
    value: "true",
    source: "flag",
    flag: "--leave-on-stop",
    env: "TERTULIA_LEAVE_ON_STOP",
  });
});

test("`config` refuses an invalid value and names its flag", () => {
  expect(() => listed(new Settings({ broker: "here" }, {}), false)).toThrow(/--broker: "here"/);
});

test("a command refuses invalid values of --timeout and --user with a sentence", () => {
  const settings = new Settings({}, {});
  for (const timeout of ["", "0", "x", "1e9"]) {
    expect(() => clientConfig(settings, { timeout }, text), timeout).toThrow(/--timeout: /);
  }
  expect(clientConfig(settings, { timeout: "0.5" }, text).timeoutMs).toBe(500);
  expect(() => clientConfig(new Settings({ user: "a b" }, {}), {}, text)).toThrow(
    /"a b" is not a name/,
  );
});
