import { createHmac, type KeyObject } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Connection } from "../client/connection.ts";
import type { Session } from "../client/session.ts";
import { newHookToken } from "../platform/hook-token.ts";
import { ProtocolError, type RefusalReason } from "../protocol/errors.ts";
import { parseRequestId, type RequestId, type UserName } from "../protocol/ids.ts";
import { limits } from "../protocol/limits.ts";
import { type Credentials, cookieName, credentialsOf } from "./credentials.ts";
import { nearbyAddress } from "./nearby.ts";
import { PasswordTurns } from "./password-turns.ts";
import { readPosition, writePosition } from "./position.ts";

/** The header with the position of a reply: an opaque text of all events that it shows (R9). */
const seenHeader = "tertulia-seen";
/** The header by which a request asks to see at least what an earlier reply has shown. */
const afterHeader = "tertulia-after";
/** The header with a token that renews the request's token (A2). */
const tokenHeader = "tertulia-token";

/** How long a browser keeps the session's cookie; servers end the session earlier if it is idle. */
const cookieSeconds = 30 * 24 * 3_600;

/** The calls of one HTTP request, and the address of the person whose calls they are. */
interface Calls<T> {
  readonly via: string;
  act(session: Session): Promise<T>;
}

/** Opens sessions for the people who make HTTP requests. */
export class People {
  readonly #connection: Connection;
  readonly #key: KeyObject;
  /** The turns of requests with a password, by address. */
  readonly passwords = new PasswordTurns();

  /** @param key the key that all gateways of the cluster have */
  constructor(connection: Connection, key: KeyObject) {
    this.#connection = connection;
    this.#key = key;
  }

  /**
   * Returns the token for a new hook. If a request with an id is repeated at another gateway, that
   * gateway makes the same token. Otherwise the repeated request would ask for another hook (G4).
   */
  hookToken(user: UserName, { id }: { readonly id?: RequestId }): string {
    if (id === undefined) return newHookToken();
    const text = `hook ${JSON.stringify([user, id])}`;
    return createHmac("sha256", this.#key).update(text).digest("base64url");
  }

  /**
   * Opens a session with the given credentials.
   * @param via the address of the person
   * @param onToken called with each token that a server gives
   */
  open(
    { token, user }: Credentials,
    via: string,
    more: Pick<Parameters<Connection["session"]>[0] & object, "onToken" | "seen" | "onRefused">,
  ): Session {
    return this.#connection.session({ token, user, via, ...more });
  }

  /**
   * Makes one HTTP request's calls to the cluster. The reply gets the headers with the renewed token
   * and with the position after the calls.
   * @throws ProtocolError as `credentialsOf`, and as the calls
   */
  serve<T>(
    request: FastifyRequest,
    reply: FastifyReply,
    act: (session: Session) => Promise<T>,
  ): Promise<T> {
    return this.#serve(request, reply, { act, via: request.ip });
  }

  /** As `serve`, for what an open cluster tells only to people on the gateway's own machine. */
  serveNearby<T>(
    request: FastifyRequest,
    reply: FastifyReply,
    act: (session: Session) => Promise<T>,
  ): Promise<T> {
    return this.#serve(request, reply, { act, via: nearbyAddress(request) });
  }

  async #serve<T>(request: FastifyRequest, reply: FastifyReply, calls: Calls<T>): Promise<T> {
    try {
      return await this.#call(request, reply, calls);
    } catch (error) {
      if (endsSession(error)) forgetCookie(request, reply);
      throw error;
    }
  }

  async #call<T>(request: FastifyRequest, reply: FastifyReply, { act, via }: Calls<T>): Promise<T> {
    const after = request.headers[afterHeader];
    using session = this.open(credentialsOf(request), via, {
      seen: typeof after === "string" ? readPosition(after, "Tertulia-After") : undefined,
      onToken: (token) => giveToken(request, reply, token),
    });
    try {
      return await act(session);
    } finally {
      void reply.header(seenHeader, writePosition(session.seen));
    }
  }
}

/** Puts a token into the reply: for programs as a header, for browsers as a cookie. */
export function giveToken(request: FastifyRequest, reply: FastifyReply, token: string): void {
  void reply.header(tokenHeader, token);
  if (request.headers.authorization === undefined) setCookie(request, reply, token);
}

/** The reasons of an error that mean that the token is no longer valid. */
const ends: ReadonlySet<RefusalReason | undefined> = new Set<RefusalReason>([
  "session_unknown",
  "session_expired",
  "password_changed",
]);

function endsSession(error: unknown): boolean {
  return error instanceof ProtocolError && ends.has(error.reason);
}

/** Deletes a cookie whose session has ended, so that the browser does not send it again. */
function forgetCookie(request: FastifyRequest, reply: FastifyReply): void {
  if (request.headers.authorization === undefined) setCookie(request, reply, "");
}

/** Returns the session's user. @throws ProtocolError `unauthenticated` if it has none */
export function userOf({ user }: Session): UserName {
  if (user !== undefined) return user;
  throw new ProtocolError("unauthenticated", "Log in first.", { reason: "no_session" });
}

/** Sets the session's cookie. @param value the token; empty to delete the cookie */
export function setCookie({ protocol }: FastifyRequest, reply: FastifyReply, value: string): void {
  const isEncrypted = protocol === "https";
  const seconds = value === "" ? 0 : cookieSeconds;
  const attributes = ["Path=/", "HttpOnly", "SameSite=Strict", `Max-Age=${seconds}`];
  if (isEncrypted) attributes.push("Secure");
  void reply.header(
    "set-cookie",
    [`${cookieName(isEncrypted)}=${value}`, ...attributes].join("; "),
  );
}

/**
 * Returns the id of a write: the header `Idempotency-Key`. A repeated request with the same id takes
 * effect once (R6).
 * @throws ProtocolError `bad_request`
 */
export function requestId({ headers }: FastifyRequest): { readonly id?: RequestId } {
  const key = headers["idempotency-key"];
  try {
    const id = parseRequestId(key);
    return id === undefined ? {} : { id };
  } catch {
    const sentence = `\`Idempotency-Key\` must have 1 to ${limits.idCharacters} characters.`;
    throw new ProtocolError("bad_request", sentence);
  }
}
