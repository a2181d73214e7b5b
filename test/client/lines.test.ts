import fc from "fast-check";
import { expect, test } from "vitest";
import { entryLine } from "../../src/client/core/entry-line.ts";
import { ansi, plain } from "../../src/client/core/paint.ts";
import { harmless } from "../../src/protocol/harmless.ts";
import type { Entry } from "../../src/protocol/publications.ts";

const common = {
  timestamp: "2026-01-31T23:30:05.120Z",
  clock: 7,
  id: "x-1",
  server: "server_0a1b2c3d",
  seq: 3,
};
const inChannel = { ...common, channel: "geral", user: "ana", message: "Oi!" } as Entry;
const inPrivate = { ...common, src: "ana", dst: "bia", message: "psst" } as Entry;
const utc = { paint: plain, zoneMinutes: () => 0 };

test("an entry is shown as one line, in the reader's time zone", () => {
  expect(entryLine(inChannel, utc)).toBe("2026-01-31 23:30:05 ana: Oi!");
  expect(entryLine(inPrivate, utc)).toBe("2026-01-31 23:30:05 ana → bia: psst");
  expect(entryLine(inChannel, { ...utc, mixed: true })).toBe("23:30 #geral ana: Oi!");
  expect(entryLine(inChannel, { ...utc, zoneMinutes: () => 90 })).toMatch(/^2026-02-01 01:00:05 /);
});

test("a message with line breaks and escape sequences is shown as one harmless line", () => {
  const message = "um\ndois\x1b[2J";
  expect(entryLine({ ...inChannel, message } as Entry, utc)).toBe(
    "2026-01-31 23:30:05 ana: um␊dois␛[2J",
  );
});

test("colours sent in a message are escaped, and only the program's own colours are used", () => {
  const line = entryLine({ ...inChannel, message: "\x1b[31mred" } as Entry, {
    ...utc,
    paint: ansi,
  });
  expect(line).toContain("\x1b[36mana\x1b[0m");
  expect(line.endsWith(": ␛[31mred")).toBe(true);
});

test("an invalid timestamp of an entry is shown unchanged, except that its control characters are escaped", () => {
  expect(entryLine({ ...inChannel, timestamp: "\x07never" } as Entry, utc)).toBe("␇never ana: Oi!");
});

test.each(["+275760-09-13T00:00:00Z", "-271821-04-20T00:00:00Z", "0000-01-01T00:00:00Z"])(
  "a timestamp that can't be shown as a local time is shown unchanged: %s",
  (timestamp) => {
    for (const zone of [-840, 0, 840]) {
      const line = entryLine({ ...inChannel, timestamp }, { ...utc, zoneMinutes: () => zone });
      expect(line).toBe(`${timestamp} ana: Oi!`);
    }
  },
);

test("`harmless` replaces control characters with visible text, and changes no letter and no emoji", () => {
  expect(harmless("a\0b\tc\x7fd")).toBe("a␀b␉c␡d");
  expect(harmless("\u009b31m \u202e")).toBe("<U+009B>31m <U+202E>");
  expect(harmless("Olá 😀 日本 ñ")).toBe("Olá 😀 日本 ñ");
});

test("`harmless` makes invisible characters visible, except where a script or an emoji needs them", () => {
  expect(harmless("anaㅤ \u200b\u2060\ufeff")).toBe("ana<U+3164> <U+200B><U+2060><U+FEFF>");
  expect(harmless("\u206a\ufff9a\ufffb\u{e0041}")).toBe("<U+206A><U+FFF9>a<U+FFFB><U+E0041>");
  expect(harmless("ana\u034f an\u200da 1\ufe0f a\ufe0f")).toBe(
    "ana<U+034F> an<U+200D>a 1<U+FE0F> a<U+FE0F>",
  );
  for (const whole of ["👨‍👩‍👧‍👦 ❤️ ❤️‍🔥 🤷🏽‍♂️ 1️⃣ 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "می‌خواهم", "क्‍ष", "ශ්‍රී ලංකා", "ᬅ᭄\u200dᬅ"]) {
    expect(harmless(whole)).toBe(whole);
  }
});

test("`harmless` replaces a letter's combining marks after the sixth with their number, and leaves texts in real languages unchanged", () => {
  expect(harmless(`z${"\u0337".repeat(40)}algo`)).toBe(`z${"\u0337".repeat(6)}<+34>algo`);
  for (const whole of ["Việt Nam", "בְּרֵאשִׁ֖ית", "གྲྀ་ཧཱུྃ"].map((text) => text.normalize("NFD"))) {
    expect(harmless(whole)).toBe(whole);
  }
});

test("the result of `harmless` never has a control character, or more than six combining marks in a row", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(harmless(text)).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
      expect(harmless(text)).not.toMatch(/\p{M}{7}/u);
    }),
  );
});

test("a text that begins with /me and a space is shown as an action, and every other text unchanged", () => {
  const shown = (message: string) => entryLine({ ...inChannel, message } as Entry, utc);
  expect(shown("/me waves")).toBe("2026-01-31 23:30:05 * ana waves");
  for (const text of ["/me", "/meow x", "/ME x"]) {
    expect(shown(text)).toBe(`2026-01-31 23:30:05 ana: ${text}`);
  }
});
