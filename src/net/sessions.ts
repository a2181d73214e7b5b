import { createHmac, type KeyObject, timingSafeEqual } from "node:crypto";
import type { Grant, Session } from "../protocol/client-messages.ts";
import { readUserName } from "../protocol/ids.ts";
import { durations } from "../protocol/limits.ts";

const header = base64url({ alg: "HS256" });

/**
 * Signs and checks the tokens of sessions (X2): JWTs (RFC 7519), signed with a key derived from the
 * cluster's secret. So each server can check the tokens of all servers, even after all servers have
 * restarted.
 */
export class Sessions {
  readonly #keys: readonly [KeyObject, ...KeyObject[]];

  /** @param keys the key of each secret (O55): the first key signs; all keys are accepted */
  constructor(keys: readonly [KeyObject, ...KeyObject[]]) {
    this.#keys = keys;
  }

  /**
   * Returns the token of a new session.
   * @param timeMs the cluster's time, in milliseconds since 1970
   */
  give({ user, version }: Grant, timeMs: number): string {
    return this.#token({ version, sub: user, ...lasting(timeMs, durations.sessionMs) });
  }

  /**
   * Returns a token that allows administration and nothing else, for a holder of the cluster's
   * secret.
   */
  giveOperator(timeMs: number): string {
    const claims = { operator: true, sub: "operator" };
    return this.#token({ ...claims, ...lasting(timeMs, durations.operatorMs) });
  }

  /**
   * @returns the token's session; undefined if this cluster did not sign the token. The core
   * decides by the cluster's time whether the session has expired
   */
  check(token: string): Session | undefined {
    const end = token.lastIndexOf(".");
    const signed = token.slice(0, end);
    // The signatures are compared as text, because several texts decode to the same signature. So
    // each session has exactly one valid token.
    const given = Buffer.from(token.slice(end + 1));
    const signer = this.#keys.findIndex((key) => {
      const expected = Buffer.from(signatureOf(key, signed));
      return given.length === expected.length && timingSafeEqual(given, expected);
    });
    if (signer === -1) return undefined;
    const session = sessionOf(signed.slice(signed.indexOf(".") + 1));
    return signer === 0 ? session : session && { ...session, isOfOtherSecret: true };
  }

  #token(claims: object): string {
    const signed = `${header}.${base64url(claims)}`;
    return `${signed}.${signatureOf(this.#keys[0], signed)}`;
  }
}

function signatureOf(key: KeyObject, text: string): string {
  return createHmac("sha256", key).update(text).digest("base64url");
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** Returns the times at which a JWT is issued and expires, in seconds since 1970. */
function lasting(timeMs: number, lifeMs: number): { iat: number; exp: number } {
  return { iat: Math.floor(timeMs / 1_000), exp: Math.floor((timeMs + lifeMs) / 1_000) };
}

function sessionOf(claims: string): Session | undefined {
  try {
    const text = Buffer.from(claims, "base64url").toString();
    const { sub, iat = 0, exp = 0, version = "", operator } = JSON.parse(text);
    return {
      user: readUserName(sub),
      version: String(version),
      issuedMs: 1_000 * iat,
      expiresMs: 1_000 * exp,
      isOperator: operator === true,
    };
  } catch {
    return undefined;
  }
}
