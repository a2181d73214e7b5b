import type { FastifyReply, FastifyRequest } from "fastify";
import type { Connection } from "../client/connection.ts";
import type { Session } from "../client/session.ts";
import type { RequestId } from "../protocol/ids.ts";
import { parseRequestId } from "../protocol/ids.ts";
import { type Credentials, cookieName, credentialsOf } from "./credentials.ts";
import { readPosition, writePosition } from "./position.ts";

/** The header with the opaque text of everything that a reply shows (R9). */
const seenHeader = "tertulia-seen";
/** The header by which a request asks to see at least what an earlier reply has shown. */
const afterHeader = "tertulia-after";
/** The header with a token that renews the request's token (A2). */
const tokenHeader = "tertulia-token";

/** How long a browser keeps the session's cookie; servers end the session earlier if it is idle. */
const cookieSeconds = 30 * 24 * 3_600;

/** Opens sessions for the people who make HTTP requests. */
export class People {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
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
  async serve<T>(
    request: FastifyRequest,
    reply: FastifyReply,
    act: (session: Session) => Promise<T>,
  ): Promise<T> {
    const after = request.headers[afterHeader];
    using session = this.open(credentialsOf(request), request.ip, {
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
  const id = parseRequestId(headers["idempotency-key"]);
  return id === undefined ? {} : { id };
}
