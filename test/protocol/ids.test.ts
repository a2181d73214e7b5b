import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  characters,
  isChain,
  isServerName,
  parseChannelName,
  parseRequestId,
  parseUserName,
  readChannelName,
  readUserName,
} from "../../src/protocol/ids.ts";
import { parseReplication } from "../../src/protocol/parse-peer.ts";

/** Checks a property of all random texts that are valid names. */
function forAnyName(holds: (name: string) => void): void {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 70 }), (text) => {
      let name: string;
      try {
        name = parseUserName(text);
      } catch {
        return;
      }
      holds(name);
    }),
    { numRuns: 1_000 },
  );
}

describe("names", () => {
  test.each(["ana", "Ana_1", "-", "_x", "a.b.c", "用户", "Ελένη", "ана", "علي", "नेहा", "7", "ção"])(
    "%s is a valid name",
    (name) => {
      expect(parseUserName(name)).toBe(name);
      expect(parseChannelName(name)).toBe(name);
    },
  );

  test.each([
    "",
    ".",
    ".hidden",
    "..",
    "a b",
    "a/b",
    "#geral",
    "@ana",
    "a\0",
    "a\n",
    "🙂",
    "a\u200bb",
    "\u0301",
    "servers",
    "replication",
    "x".repeat(65),
    "\ud800",
  ])("[W7] %j is not a name", (name) => {
    expect(() => parseUserName(name)).toThrow(/`user`/);
    expect(() => parseChannelName(name)).toThrow(/`channel`/);
  });

  test.each([undefined, null, 5, true, [], {}, new Uint8Array([97])])(
    "[W7] %j is not a name, because it is not a string",
    (value) => {
      expect(() => parseUserName(value, "dst")).toThrow(/`dst` must be a string/);
    },
  );

  test("names are normalised to NFC, so that composed and decomposed letters give the same name", () => {
    expect(parseUserName("Jose\u0301")).toBe("Jos\u00e9");
    expect(parseUserName("Jos\u00e9")).toBe("Jos\u00e9");
  });

  test("a name has at most 64 code points after normalisation", () => {
    expect(parseUserName("𝒜".repeat(64))).toHaveLength(128);
    expect(() => parseUserName("𝒜".repeat(65))).toThrow(/it has 65/);
    // The decomposed form is longer, but only the stored form counts.
    expect(parseUserName("e\u0301".repeat(64))).toHaveLength(64);
  });

  test("a valid name stays valid and unchanged when it is parsed again", () => {
    forAnyName((name) => {
      expect(parseUserName(name)).toBe(name);
      expect(name.isWellFormed()).toBe(true);
      expect(characters(name)).toBeLessThanOrEqual(64);
    });
  });

  test.each(["ana\u00ad", "\ufeffana", "an\u200ba", "ana\u200f", "\u202aana", "ana\u{e0041}"])(
    "a name with an invisible character is refused with an error that says so: %j",
    (name) => {
      expect(() => parseUserName(name)).toThrow("holds a character that nobody sees");
    },
  );
});

describe("a name read from an event", () => {
  /** A code point that no version of Unicode assigns yet. */
  const newLetter = "\u{3fffd}";

  test("a name from an event is read unchanged, even with letters that this process's Unicode version does not have", () => {
    expect(() => parseUserName(`ana${newLetter}`)).toThrow(/letters/);
    expect(readUserName(`ana${newLetter}`)).toBe(`ana${newLetter}`);
    expect(readChannelName("Jose\u0301")).toBe("Jose\u0301");
  });

  test.each([
    "",
    ".a",
    "a b",
    "a/b",
    "#a",
    "a\0",
    "a\n",
    "a\u2028",
    "\ud800",
    "servers",
    5,
    undefined,
  ])("a name from an event can't be %j", (name) => {
    expect(() => readUserName(name)).toThrow();
  });

  test("a name from an event can be any valid name", () => {
    forAnyName((name) => expect(readUserName(name)).toBe(name));
    for (const name of ["𝒜".repeat(64), "नेहा", "a.b-c_1"]) expect(readUserName(name)).toBe(name);
  });
});

describe("ids that are not names", () => {
  test("[W6] a request's id is a string of 1 to 64 characters, or missing", () => {
    expect(parseRequestId(undefined)).toBeUndefined();
    expect(parseRequestId(null)).toBeUndefined();
    expect(parseRequestId("🙂".repeat(64))).toBe("🙂".repeat(64));
    for (const id of ["", "x".repeat(65), 7, {}]) expect(() => parseRequestId(id)).toThrow(/`id`/);
    expect(parseRequestId("x\ud800")?.isWellFormed()).toBe(true);
  });

  test("a server's name and a chain have exactly one valid form", () => {
    expect(isServerName("server_0123abcd")).toBe(true);
    for (const name of [
      "server_0123ABCD",
      "server_123",
      "server_0123abcd\n",
      "ana",
      7,
      undefined,
    ]) {
      expect(isServerName(name)).toBe(false);
    }
    expect(isChain("0".repeat(32))).toBe(true);
    for (const chain of ["0".repeat(31), "g".repeat(32), undefined])
      expect(isChain(chain)).toBe(false);
  });

  test("[W7] any bytes that are not a peer's message throw a PeerMessageError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (payload) => {
        expect(() => parseReplication(payload)).toThrow(
          expect.objectContaining({ name: "PeerMessageError" }),
        );
      }),
    );
  });
});
