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

const otherKey = "it has another key than this endpoint's";

/** Tells why a socket that is bound with a key lets somebody not in. */
export function watchRefused(events: Observer, onRefused: (why: string) => void): void {
  const plain = "it is not encrypted: a member wants --curve, a client the cluster's key";
  events.on("handshake:error:protocol", ({ error }) => {
    if (error.code === mismatch) onRefused(plain);
    // Another cluster's, or a client's where none but members are let in: that can't be told.
    else if (error.code === "ERR_ZMTP_CRYPTOGRAPHIC") onRefused(otherKey);
    else onRefused(`it breaks the protocol (${error.code})`);
  });
  // Who is plain may hang up first. A connection that is reset is none of ours (`probe`).
  events.on("handshake:error:other", ({ error }) => {
    if (error.code === "EPIPE") onRefused(plain);
  });
}
