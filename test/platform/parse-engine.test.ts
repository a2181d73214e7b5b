import { describe, expect, test } from "vitest";
import { engineAddress } from "../../src/platform/parse-engine.ts";
import { Problem } from "../../src/platform/problem.ts";
import { Settings } from "../../src/platform/settings.ts";

describe("the address of an engine", () => {
  test("an engine's address names several hosts, a user, a database, a schema and the encryption", () => {
    const text =
      "postgres://ana%40x@a:5433,[fd00::1],%2Frun%2Fpg/chat?schema=c&sslmode=verify-full";
    expect(engineAddress(text)).toEqual({
      hosts: [
        { host: "a", port: 5433 },
        { host: "fd00::1", port: 5432 },
        { host: "/run/pg", port: 5432 },
      ],
      user: "ana@x",
      database: "chat",
      schema: "c",
      encryption: "verify-full",
    });
    expect(engineAddress("postgresql://a/chat")).toEqual({
      hosts: [{ host: "a", port: 5432 }],
      user: "tertulia",
      database: "chat",
      schema: "public",
      encryption: "disable",
    });
  });

  test.each([
    "a/chat",
    "mysql://a/chat",
    "postgres://a",
    "postgres:///chat",
    "postgres://a:0/chat",
    "postgres://a:70000/chat",
    "postgres://a,,b/chat",
    "postgres://a/chat?schema=x;drop",
    "postgres://a/chat?sslmode=prefer",
    "postgres://a/chat?port=1",
    "postgres://%zz/chat",
  ])("the address %s is refused with exit code 2", (engine) => {
    const settings = new Settings({ engine }, {});
    expect(() => settings.get("engine")).toThrow(
      expect.objectContaining({
        name: "Problem",
        exitCode: 2,
        message: expect.stringMatching(/\.$/),
      }),
    );
  });

  test("a password in an address is refused, and no message repeats it", () => {
    const secrets = [
      { engine: "postgres://ana:hush@a/chat" },
      { engine: "postgres://ana:hu@sh@a/chat" },
      { engine: "postgres://a/chat?password=hush" },
      { engine: "postgresql://:hush@" },
    ] as const;
    for (const flags of secrets) {
      const settings = new Settings(flags, {});
      const read = () => settings.optional("engine");
      expect(read).toThrow(Problem);
      expect(read).toThrow(/^The address of .* has a password in it, .*_PASSWORD_FILE\.$/);
      expect(read).not.toThrow(/hu/);
    }
  });

  test.each([
    '"postgres://ana:hush@a/chat"',
    " postgres://ana:hush@a/chat",
    "POSTGRES://ana:hush@a/chat",
    "postgres:/ana:hush@a/chat",
    "postgres://a/chat?auth=hush",
    "postgres://a/chat?hush",
  ])("%s is no address, and the message does not repeat its password", (text) => {
    const wrong = () => new Settings({ engine: text }, {}).optional("engine");
    expect(wrong).toThrow(/^--engine: the address won't do: .*\.$/);
    expect(wrong).not.toThrow(/hush/);
  });
});
