import { describe, expect, test } from "vitest";
import { Problem } from "../../src/platform/problem.ts";
import { Settings } from "../../src/platform/settings.ts";

const read = (redis: string) => new Settings({ redis }, {}).optional("redis");

describe("the address of a Redis", () => {
  test("an address names a host, a port, a user, a database and whether connections are encrypted", () => {
    expect(read("rediss://ana@[fd00::1]:6380/7")).toEqual({
      ...{ host: "fd00::1", port: 6_380, user: "ana", database: 7, isEncrypted: true },
    });
    expect(read("redis://cache")).toEqual({
      ...{ host: "cache", port: 6_379, user: undefined, database: 0, isEncrypted: false },
    });
    expect(read("redis://cache/")).toMatchObject({ host: "cache", database: 0 });
  });

  test.each([
    "cache",
    "http://cache",
    "redis://",
    "redis://cache:0",
    "redis://cache:70000",
    "redis://cache/first",
    "redis://cache/0?ssl=yes",
    "redis://a,b",
  ])("the address %s is refused with exit code 2", (address) => {
    expect(() => read(address)).toThrow(
      expect.objectContaining({ exitCode: 2, message: expect.stringMatching(/\.$/) }),
    );
  });

  test("a password in an address is refused, and no message repeats it", () => {
    for (const address of ["redis://ana:hush@a", "redis://:hush@a/0", "rediss://:hu@sh@a"]) {
      expect(() => read(address)).toThrow(Problem);
      expect(() => read(address)).toThrow(
        /^The address of Redis has .*TERTULIA_REDIS_PASSWORD_FILE\.$/,
      );
      expect(() => read(address)).not.toThrow(/hu/);
    }
  });

  test.each([
    '"redis://:hush@a"',
    " redis://:hush@a",
    "REDIS://:hush@a",
    "redis:/:hush@a",
    ":hush@a",
    "redis://a?auth=hush",
  ])("%s is no address, and the message does not repeat its password", (text) => {
    const wrong = () => read(text);
    expect(wrong).toThrow(/^--redis: the address won't do: .*\.$/);
    expect(wrong).not.toThrow(/hush/);
  });
});
