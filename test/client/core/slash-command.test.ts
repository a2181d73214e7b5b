import fc from "fast-check";
import { expect, test } from "vitest";
import { commands, parseLine } from "../../../src/client/core/slash-command.ts";

test("an input line is sent as a text unless it is blank or begins with a slash", () => {
  expect(parseLine("oi /join")).toEqual({ type: "text", text: "oi /join" });
  expect(parseLine("  ")).toEqual({ type: "nothing" });
  expect(parseLine("/join #geral")).toEqual({ type: "join", channel: "geral" });
  expect(parseLine("/JOIN geral")).toEqual({ type: "join", channel: "geral" });
  expect(parseLine("/msg @ana a  b")).toEqual({ type: "message", user: "ana", text: "a  b" });
  expect(parseLine("/quit")).toEqual({ type: "quit" });
});

test("an unknown or wrongly used command is not sent as a text, and the nearest known command is suggested", () => {
  const suggestions = { "/mgs": "/msg", "/jion": "/join", "/q": "/quit", "/etc/passwd": undefined };
  for (const [command, suggestion] of Object.entries(suggestions)) {
    expect(parseLine(`${command} x`)).toEqual({ type: "unknown", command, suggestion });
  }
  expect(parseLine("/msg")).toEqual({ type: "wrongUse", command: "msg" });
  expect(parseLine("/join a b")).toMatchObject({ type: "wrongUse" });
  for (const bare of "who users channels away status time help quit".split(" ")) {
    expect(parseLine(`/${bare} x`)).toEqual({ type: "wrongUse", command: bare });
    expect(parseLine(`/${bare} `)).toEqual({ type: bare });
  }
});

test("a line that begins with one slash is not sent as a text, except the text after /say", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (rest) => {
      fc.pre(!/^(?:\/|say\s)/i.test(rest));
      expect(parseLine(`/${rest}`).type).not.toBe("text");
    }),
  );
});

test("`//text` and `/say /text` send a text that begins with a slash", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (rest) => {
      fc.pre(!rest.startsWith("me "));
      expect(parseLine(`//${rest}`)).toEqual({ type: "text", text: `/${rest}` });
    }),
  );
  expect(parseLine("//")).toEqual({ type: "text", text: "/" });
  expect(parseLine("/SAY  /part\nb")).toEqual({ type: "text", text: "/part\nb" });
  expect(parseLine("/say")).toEqual({ type: "wrongUse", command: "say" });
});

test("a text after // or /say is refused if it begins with /me and a space", () => {
  for (const line of ["//me waves", "/say /me waves"]) {
    expect(parseLine(line)).toEqual({ type: "likeAction" });
  }
  for (const text of ["/me", "/meow x", "/ME x"]) {
    expect(parseLine(`/${text}`)).toEqual({ type: "text", text });
  }
});

test.each([
  ["/me acena", { type: "me", text: "acena" }],
  ["/create são-joão", { type: "create", channel: "são-joão" }],
  ["/part", { type: "part", channel: undefined }],
  ["/leave #geral", { type: "part", channel: "geral" }],
  ["/mute geral", { type: "mute", channel: "geral" }],
  ["/msg ana", { type: "message", user: "ana", text: undefined }],
  ["/history", { type: "history", count: undefined }],
  ["/history 50", { type: "history", count: 50 }],
  ['/search "bom dia" -noite', { type: "search", words: '"bom dia" -noite' }],
  ["/lang pt-br", { type: "lang", language: "pt-br" }],
  ["/links", { type: "links" }],
  ["/exit", { type: "quit" }],
])("the line %s is parsed as a command", (line, parsed) => expect(parseLine(line)).toEqual(parsed));

test.each([
  ["/me", "me"],
  ["/create a b", "create"],
  ["/part #", "part"],
  ["/mute @ana", "mute"],
  ["/msg #geral oi", "msg"],
  ["/search", "search"],
  ["/search -noite !", "search"],
  ["/history 0", "history"],
  ["/history 1000", "history"],
  ["/history all", "history"],
  ["/lang", "lang"],
  ["/exit now", "quit"],
])("the line %s is a wrong use of a command", (line, command) => {
  expect(parseLine(line)).toEqual({ type: "wrongUse", command });
});

test("a command without its last letter gets a suggestion that begins with the typed letters", () => {
  for (const command of commands) {
    const cut = command.slice(0, -1);
    if (commands.some((other) => other === cut)) continue;
    const line = parseLine(`/${cut}`);
    expect(line).toMatchObject({ type: "unknown", command: `/${cut}` });
    const { suggestion } = line as { suggestion?: string };
    expect(suggestion?.startsWith(`/${cut}`), cut).toBe(true);
  }
  expect(parseLine("/constructor")).toMatchObject({ type: "unknown", suggestion: undefined });
});
