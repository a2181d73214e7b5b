import type { Observer } from "zeromq";
import { splitKey } from "../platform/endpoint.ts";

/** Why the other side takes no connection. */
export type Refusal = "keyWanted" | "keyUnwanted" | "otherKey";

/** For a log, and for who uses the client library. */
export const refusalText: Readonly<Record<Refusal, string>> = {
  keyWanted: "it wants encryption: a client gives its key, a member has --curve",
  keyUnwanted: "it is not encrypted, and a key was given for it",
  otherKey: "it ended the connection: its key is another than the one given",
};

/** One side encrypts and the other does not: that does not pass, and ZeroMQ does not try again. */
export function isFinal(refusal: Refusal | undefined): boolean {
  return refusal === "keyWanted" || refusal === "keyUnwanted";
}

const mismatch = "ERR_ZMTP_MECHANISM_MISMATCH";

/**
 * Tells why a connecting socket is let in nowhere, as soon as it is so, and when it is so no more.
 * Of a mismatch each side may be the first to see it and hang up; ZeroMQ tries again until this side
 * has seen it, and then no more.
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
  // A server tells nothing to whom it does not believe. Without a key it may as well be one that
  // is just ending.
  events.on("handshake:error:other", ({ address }) => {
    if (hasKey) refuse(address, "otherKey");
  });
}
