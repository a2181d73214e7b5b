import type { Observer } from "zeromq";
import { splitKey } from "../platform/endpoint.ts";

/** Why the other side refuses the connection. */
export type Refusal = "keyWanted" | "keyUnwanted" | "otherKey";

/** For logs and for users of the client library. */
export const refusalText: Readonly<Record<Refusal, string>> = {
  keyWanted: "it wants encryption: a client gives its key, a member has --curve",
  keyUnwanted: "it is not encrypted, and a key was given for it",
  otherKey: "it ended the connection: its key is another than the one given",
};

/**
 * Whether one side encrypts and the other does not: that stays so, and ZeroMQ does not try again.
 */
export function isFinal(refusal: Refusal | undefined): boolean {
  return refusal === "keyWanted" || refusal === "keyUnwanted";
}

const mismatch = "ERR_ZMTP_MECHANISM_MISMATCH";

/**
 * Tells why all endpoints refuse a connecting socket, once they do, and `undefined` when one
 * accepts it again. Either side may be the first to see a mismatch and hang up. ZeroMQ tries again
 * until this side has seen the mismatch, and then no more.
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
  // A server says nothing to a peer that it does not trust. Without a key, this may as well be a
  // server that is stopping.
  events.on("handshake:error:other", ({ address }) => {
    if (hasKey) refuse(address, "otherKey");
  });
}
