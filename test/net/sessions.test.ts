import { createSecretKey } from "node:crypto";
import { jwtVerify, SignJWT, UnsecuredJWT } from "jose";
import { describe, expect, test } from "vitest";
import { Sessions } from "../../src/net/sessions.ts";
import { parseUserName } from "../../src/protocol/ids.ts";
import { durations } from "../../src/protocol/limits.ts";

const key = createSecretKey(Buffer.alloc(32, 7));
const sessions = new Sessions([key]);
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
  test("each server of a cluster reads the user from a session's token", () => {
    expect(new Sessions([key]).check(token)).toEqual(session);
  });

  test("a session's token is a JWT that another program can check with the key", async () => {
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

  test("a server accepts a token that another program signed with the key", async () => {
    const jwt = new SignJWT({ version: "v1" }).setSubject("josé").setIssuedAt(new Date(timeMs));
    const signed = await jwt
      .setExpirationTime(new Date(session.expiresMs))
      .setProtectedHeader({ alg: "HS256", typ: "JWT" })
      .sign(key);
    expect(sessions.check(signed)).toEqual(session);
  });

  test("an operator's token has `isOperator` and expires after `operatorMs`", () => {
    expect(sessions.check(sessions.giveOperator(timeMs))).toEqual({
      user: "operator",
      version: "",
      issuedMs: timeMs,
      expiresMs: timeMs + durations.operatorMs,
      isOperator: true,
    });
  });
});

describe("[X2] an invalid token of a session", () => {
  const jwt = () => new SignJWT({ sub: "josé", version: "v1" });
  const other = Buffer.from(JSON.stringify({ sub: "bea", version: "v1" })).toString("base64url");

  test.each([
    [
      "is signed with another key",
      jwt().setProtectedHeader({ alg: "HS256" }).sign(Buffer.alloc(32)),
    ],
    [
      "is signed with another hash",
      jwt().setProtectedHeader({ alg: "HS512" }).sign(Buffer.alloc(64, 7)),
    ],
    ["is not signed", new UnsecuredJWT({ sub: "josé" }).encode()],
    ["has other claims than were signed", `${header}.${other}.${signature}`],
    ["has another header than was signed", `e30.${claims}.${signature}`],
    ["has no signature", `${header}.${claims}.`],
    ["has a signature with a padding character", `${token}=`],
    ["has a newline at its end", `${token}\n`],
    ["names no user", new SignJWT({}).setProtectedHeader({ alg: "HS256" }).sign(key)],
    ["has no dot", "x"],
    ["is empty", ""],
  ])("a server refuses a session's token if the token %s", async (_why, given) => {
    expect(sessions.check(await given)).toBeUndefined();
  });

  test("a server refuses a token if the last character of its signature is changed", () => {
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const same = [...alphabet].filter((last) => sessions.check(token.slice(0, -1) + last));
    expect(same).toEqual([token.at(-1)]);
  });
});
