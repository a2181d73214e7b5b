import type { Service } from "./client-messages.ts";
import { type ErrorCode, isErrorCode, isRefusalReason, ProtocolError } from "./errors.ts";
import type { Fields } from "./fields.ts";
import { isServerName } from "./ids.ts";
import { parseClock } from "./lamport-clock.ts";
import type { Publication } from "./publications.ts";
import { isEntry, type Replies, type Reply, replies } from "./replies.ts";

/** Characters of a server's description that are shown to a person. */
const mostDescription = 500;

export function isService(name: unknown): name is Service {
  return typeof name === "string" && Object.hasOwn(replies, name);
}

/**
 * The gate of a client: reads the answer of a service that said OK.
 * @throws IncompleteReply
 */
export function parseReply<S extends Service>(service: S, data: Fields): Reply<S> {
  const { server } = data;
  const own = replies[service](data) as Replies[S];
  return { ...own, server: isServerName(server) ? server : undefined };
}

/** A server's description, under either of its two names; empty if there is none. */
export function parseDescription({ description, message }: Fields): string {
  const said = [description, message].find((words) => typeof words === "string" && words !== "");
  return typeof said === "string" ? said.slice(0, mostDescription) : "";
}

/** The error in a reply. A newer server may have codes that are unknown here. */
export function parseError(data: Fields): ProtocolError {
  const { code, wait, reason, retry } = data;
  const other: ErrorCode = retry === true ? "unavailable" : "unsupported";
  return new ProtocolError(isErrorCode(code) ? code : other, parseDescription(data), {
    wait: typeof wait === "number" && wait >= 0 ? wait : undefined,
    reason: isRefusalReason(reason) ? reason : undefined,
  });
}

/** Publications of the second form (P2, P3); invalid items are left out. */
export function parsePublications(value: unknown): Publication[] {
  return Array.isArray(value) ? value.filter(isPublication) : [];
}

function isPublication(item: unknown): item is Publication {
  return isEntry(item) && "prev" in item && parseClock(item.prev) !== undefined;
}
