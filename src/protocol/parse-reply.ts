import type { Service } from "./client-messages.ts";
import { type ErrorCode, isErrorCode, isRefusalReason, ProtocolError } from "./errors.ts";
import type { Fields } from "./fields.ts";
import { isServerName } from "./ids.ts";
import { parseClock } from "./lamport-clock.ts";
import type { Publication } from "./publications.ts";
import { isEntry, type Replies, type Reply, replies } from "./replies.ts";

/** The most characters of an error's description that a client shows. */
const mostDescription = 500;

export function isService(name: unknown): name is Service {
  return typeof name === "string" && Object.hasOwn(replies, name);
}

/**
 * The gate of a client: reads the fields of an OK reply.
 * @throws IncompleteReply if a required field is missing or invalid
 */
export function parseReply<S extends Service>(service: S, data: Fields): Reply<S> {
  const { server } = data;
  const own = replies[service](data) as Replies[S];
  const slot = parseClock(data.slot);
  return { ...own, server: isServerName(server) ? server : undefined, slot };
}

/** Returns an error's description, from `description` or `message`; empty if neither is a text. */
export function parseDescription({ description, message }: Fields): string {
  const said = [description, message].find((words) => typeof words === "string" && words !== "");
  return typeof said === "string" ? said.slice(0, mostDescription) : "";
}

/**
 * Returns the error in a reply. A code that this client does not know becomes `unavailable` if the
 * reply allows a retry, else `unsupported`.
 */
export function parseError(data: Fields): ProtocolError {
  const { code, wait, reason, retry } = data;
  const other: ErrorCode = retry === true ? "unavailable" : "unsupported";
  return new ProtocolError(isErrorCode(code) ? code : other, parseDescription(data), {
    wait: typeof wait === "number" && wait >= 0 ? wait : undefined,
    reason: isRefusalReason(reason) ? reason : undefined,
  });
}

/** Returns the valid publications of the second form (P2, P3), and leaves out invalid items. */
export function parsePublications(value: unknown): Publication[] {
  return Array.isArray(value) ? value.filter(isPublication) : [];
}

function isPublication(item: unknown): item is Publication {
  return isEntry(item) && "prev" in item && parseClock(item.prev) !== undefined;
}
