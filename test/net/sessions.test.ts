import { createSecretKey } from "node:crypto";
import { jwtVerify, SignJWT, UnsecuredJWT } from "jose";
import { describe, expect, test } from "vitest";
import { Sessions } from "../../src/net/sessions.ts";
import { parseUserName } from "../../src/protocol/ids.ts";
import { durations } from "../../src/protocol/limits.ts";

const key = createSecretKey(Buffer.alloc(32, 7));
const sessions = new Sessions(key);
const user = parseUserName("josé");
const timeMs = Date.UTC(2026, 0, 31, 8);
const token = sessions.give({ user, version: "v1" }, timeMs);
const session = {
  user,
  version: "v1",
  issuedMs: timeMs,
  expiresMs: timeMs + durations.sessionMs,
  isOperator: false,
};
const [header = "", claims = "", signature = ""] = token.split(".");

describe("[A2] a session's token", () => {
  test("names its user at any server of the cluster", () => {
    expect(new Sessions(key).check(token)).toEqual(session);
  });

  test("is a JWT that another program with the key can check", async () => {
    const currentDate = new Date(timeMs);
    const { payload, protectedHeader } = await jwtVerify(token, key, { currentDate });
    expect(protectedHeader).toEqual({ alg: "HS256" });
    expect(payload).toEqual({
      sub: "josé",
      version: "v1",
      iat: timeMs / 1_000,
      exp: (timeMs + durations.sessionMs) / 1_000,
    });
  });

  test("is valid if another program has signed it with the key", async () => {
    const jwt = new SignJWT({ version: "v1" }).setSubject("josé").setIssuedAt(new Date(timeMs));
    const signed = await jwt
      .setExpirationTime(new Date(session.expiresMs))
      .setProtectedHeader({ alg: "HS256", typ: "JWT" })
      .sign(key);
    expect(sessions.check(signed)).toEqual(session);
  });

  test("of an operator administers, and is shorter", () => {
    expect(sessions.check(sessions.giveOperator(timeMs))).toEqual({
      user: "operator",
      version: "",
      issuedMs: timeMs,
      expiresMs: timeMs + durations.operatorMs,
      isOperator: true,
    });
  });
});

describe("[X2] a token is invalid", () => {
  const jwt = () => new SignJWT({ sub: "josé", version: "v1" });
  const other = Buffer.from(JSON.stringify({ sub: "bea", version: "v1" })).toString("base64url");

  test.each([
    [
      "if another key has signed it",
      jwt().setProtectedHeader({ alg: "HS256" }).sign(Buffer.alloc(32)),
    ],
    [
      "if the key has signed it by another hash",
      jwt().setProtectedHeader({ alg: "HS512" }).sign(Buffer.alloc(64, 7)),
    ],
    ["if nothing has signed it", new UnsecuredJWT({ sub: "josé" }).encode()],
    ["if its claims were exchanged", `${header}.${other}.${signature}`],
    ["if its header was exchanged", `e30.${claims}.${signature}`],
    ["if its signature is missing", `${header}.${claims}.`],
    ["if its signature is longer", `${token}=`],
    ["if something stands behind it", `${token}\n`],
    ["if it names nobody", new SignJWT({}).setProtectedHeader({ alg: "HS256" }).sign(key)],
    ["if it has no dot", "x"],
    ["if it is empty", ""],
  ])("%s", async (_why, given) => {
    expect(sessions.check(await given)).toBeUndefined();
  });

  test("if its signature is written in another way", () => {
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const same = [...alphabet].filter((last) => sessions.check(token.slice(0, -1) + last));
    expect(same).toEqual([token.at(-1)]);
  });
});
