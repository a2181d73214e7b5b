import type { FastifyRequest } from "fastify";
import { ProtocolError } from "../protocol/errors.ts";
import { parseUserName, type UserName } from "../protocol/ids.ts";

/** Proves or states who makes a request. */
export interface Credentials {
  /** The session's token, in a cluster with accounts. */
  readonly token?: string;
  /** The user whom the request names, in an open cluster. */
  readonly user?: UserName;
}

/**
 * The cookie of a browser's session. The prefix `__Host-` makes browsers refuse the cookie from
 * any other host, and without encryption. So a page that is served without encryption, on the
 * machine itself, needs the name without the prefix.
 */
export function cookieName(isEncrypted: boolean): string {
  return isEncrypted ? "__Host-tertulia" : "tertulia";
}

/**
 * In an open cluster servers give no tokens. A gateway's token is then this prefix, and the user's
 * name in base64url.
 */
const openPrefix = "open.";

/** Returns what a client must send to ask as this user in an open cluster. */
export function openToken(user: UserName): string {
  return openPrefix + Buffer.from(user).toString("base64url");
}

/**
 * Reads the credentials of a request: the header `Authorization: Bearer`, or the session's cookie.
 * @throws ProtocolError `forbidden` if a browser sends the cookie from the page of another site
 */
export function credentialsOf(request: FastifyRequest): Credentials {
  const bearer = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
  if (bearer !== undefined) return parseToken(bearer);
  const cookie = cookieOf(request);
  if (cookie === undefined) return {};
  refuseOtherSite(request);
  return parseToken(cookie);
}

/** @throws ProtocolError `unauthenticated` */
export function parseToken(text: string): Credentials {
  if (!text.startsWith(openPrefix)) return { token: text };
  try {
    const name = Buffer.from(text.slice(openPrefix.length), "base64url").toString();
    return { user: parseUserName(name) };
  } catch {
    const sentence = "The token is damaged: log in again.";
    throw new ProtocolError("unauthenticated", sentence, { reason: "session_unknown" });
  }
}

function cookieOf(request: FastifyRequest): string | undefined {
  const wanted = cookieName(request.protocol === "https");
  for (const part of (request.headers.cookie ?? "").split(";")) {
    const [name, value] = part.trim().split("=", 2);
    if (name === wanted && value !== undefined && value !== "") return value;
  }
  return undefined;
}

/**
 * Refuses a request that a page of another site has made. A browser adds the cookie to such a
 * request too, but it also tells the page's origin.
 * @throws ProtocolError `forbidden`
 */
export function refuseOtherSite({ headers, host }: FastifyRequest): void {
  const { origin } = headers;
  if (origin === undefined || (URL.canParse(origin) && new URL(origin).host === host)) return;
  throw new ProtocolError("forbidden", "The request comes from the page of another site.");
}
