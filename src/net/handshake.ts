import type { Observer } from "zeromq";
import { splitKey } from "../platform/endpoint.ts";

/** The reason for which the other side refuses a connection. */
export type Refusal = "keyWanted" | "keyUnwanted" | "otherKey";

/** The text of each reason, for logs and for users of the client library. */
export const refusalText: Readonly<Record<Refusal, string>> = {
  keyWanted: "it wants encryption: a client gives its key, a member has --curve",
  keyUnwanted: "it is not encrypted, and a key was given for it",
  otherKey: "it ended the connection: its key is another than the one given",
};

/**
 * Returns whether the refusal is final: only one of the two sides encrypts, and ZeroMQ does not
 * retry.
 */
export function isFinal(refusal: Refusal | undefined): boolean {
  return refusal === "keyWanted" || refusal === "keyUnwanted";
}

const mismatch = "ERR_ZMTP_MECHANISM_MISMATCH";

/**
 * Calls `onRefusal` with a reason once all endpoints refuse the socket, and with `undefined` once
 * one of them accepts it again. Either side may notice a mismatch first and close the connection.
 * If the other side notices the mismatch first, ZeroMQ connects again, until this side has noticed
 * the mismatch itself and can report it.
 */
export function watchRefusals(
  events: Observer,
  endpoints: readonly string[],
  onRefusal: (refusal: Refusal | undefined) => void,
): void {
  const hasKey = endpoints.some((endpoint) => splitKey(endpoint).key !== undefined);
  const refusing = new Set<string>();
  const refuse = (address: string, refusal: Refusal) => {
    if (refusing.add(address).size === endpoints.length) onRefusal(refusal);
  };
  events.on("handshake", ({ address }) => {
    if (refusing.delete(address)) onRefusal(undefined);
  });
  events.on("handshake:error:protocol", ({ error, address }) => {
    if (error.code === mismatch) refuse(address, hasKey ? "keyUnwanted" : "keyWanted");
  });
  // A server that does not trust a peer ends the connection without an error. If no endpoint has a
  // key, the server may have ended the connection because the server is stopping, so no refusal is
  // reported.
  events.on("handshake:error:other", ({ address }) => {
    if (hasKey) refuse(address, "otherKey");
  });
}
