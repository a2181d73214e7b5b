import { hash } from "@node-rs/argon2";
import { describe, expect, test } from "vitest";
import { workOnPassword } from "../../src/platform/password.ts";

const password = "correct horse";
const today = /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/;

function made(): string {
  const { credential } = workOnPassword({ hash: password });
  return credential as string;
}

describe("[X2] a password", () => {
  test("a password is hashed with argon2id and a salt of its own", () => {
    const [one, other] = [made(), made()];
    expect(one).toMatch(today);
    expect(other).toMatch(today);
    expect(one).not.toBe(other);
  });

  test("a right password is accepted without a new hash, and a wrong password is refused", () => {
    const credential = made();
    const right = workOnPassword({ check: { password, credential } });
    expect(right).toEqual({ isRight: true, credential: undefined });
    const wrong = workOnPassword({ check: { password: "wrong", credential } });
    expect(wrong).toEqual({ isRight: false, credential: undefined });
  });

  test("a password is refused if there is no credential, as for an unknown user", () => {
    const work = { check: { password, credential: undefined }, hash: "next" };
    expect(workOnPassword(work)).toEqual({ isRight: false, credential: undefined });
  });

  test("a right password whose hash is cheaper than today's hashes is hashed again at a log-in", async () => {
    const cheap = await hash(password, { memoryCost: 8 * 1_024, timeCost: 1, parallelism: 1 });
    const { isRight, credential } = workOnPassword({
      check: { password, credential: cheap },
    });
    expect(isRight).toBe(true);
    expect(credential).toMatch(today);
    expect(workOnPassword({ check: { password, credential } })).toEqual({
      isRight: true,
      credential: undefined,
    });
  });

  test("a password is changed only if the old password is right", () => {
    const credential = made();
    const change = workOnPassword({ check: { password, credential }, hash: "another" });
    expect(change).toEqual({ isRight: true, credential: expect.stringMatching(today) });
    const refused = workOnPassword({
      check: { password: "no", credential },
      hash: "another",
    });
    expect(refused).toEqual({ isRight: false, credential: undefined });
  });

  test("a check of a password against an invalid credential throws an error", () => {
    const credential = "$argon2id$nonsense";
    expect(() => workOnPassword({ check: { password, credential } })).toThrow();
  });
});
