import { createHmac, type KeyObject, timingSafeEqual } from "node:crypto";
import { jwtVerify, SignJWT } from "jose";
import type { Grant, Session } from "../protocol/client-messages.ts";
import { readUserName } from "../protocol/ids.ts";
import { durations, limits } from "../protocol/limits.ts";

const algorithm = "HS256";

/**
 * Tokens of sessions (X2): a JWT, signed with a key of the cluster's secret, so that any server
 * checks what any other has given, before and after a failover or a restart of them all.
 */
export class Sessions {
  readonly #key: KeyObject;
  /** Those that were checked, newest last: a signature is looked at once. */
  readonly #known = new Map<string, Promise<Session | undefined>>();

  constructor(key: KeyObject) {
    this.#key = key;
  }

  /** @param timeMs the cluster's, in milliseconds since 1970 */
  give({ user, version }: Grant, timeMs: number): Promise<string> {
    return this.#sign({ version }, user, timeMs, durations.sessionMs);
  }

  /** For whoever holds the cluster's secret: administers, and nothing else. */
  giveOperator(timeMs: number): Promise<string> {
    return this.#sign({ operator: true }, "operator", timeMs, durations.operatorMs);
  }

  /**
   * Whose token it is. Whether the session has ended is for the core to say, by the cluster's time.
   * @returns undefined if this cluster did not sign it
   */
  async check(token: string): Promise<Session | undefined> {
    // Anybody may send any number of tokens: one that is none costs a hash, and no place.
    if (!this.#isSigned(token)) return undefined;
    const known = this.#known.get(token) ?? this.#verify(token);
    this.#known.delete(token);
    this.#known.set(token, known);
    const [oldest] = this.#known.keys();
    if (this.#known.size > limits.knownTokens && oldest !== undefined) this.#known.delete(oldest);
    return known;
  }

  /** Whether the signature is this cluster's, whatever it signs. */
  #isSigned(token: string): boolean {
    const end = token.lastIndexOf(".");
    const hmac = createHmac("sha256", this.#key).update(token.slice(0, end));
    // The text, not what it stands for: of one token there are no two.
    const expected = Buffer.from(hmac.digest("base64url"));
    const given = Buffer.from(token.slice(end + 1));
    return given.length === expected.length && timingSafeEqual(given, expected);
  }

  #sign(claims: Record<string, unknown>, user: string, timeMs: number, lifeMs: number) {
    return new SignJWT(claims)
      .setProtectedHeader({ alg: algorithm })
      .setSubject(user)
      .setIssuedAt(new Date(timeMs))
      .setExpirationTime(new Date(timeMs + lifeMs))
      .sign(this.#key);
  }

  async #verify(token: string): Promise<Session | undefined> {
    try {
      const options = { algorithms: [algorithm], currentDate: new Date(0) };
      const { payload } = await jwtVerify(token, this.#key, options);
      const { sub, iat = 0, exp = 0, version = "", operator } = payload;
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
}
