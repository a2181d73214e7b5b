/** The reason for which the other side refuses a connection. */
export type Refusal = "keyWanted" | "keyUnwanted" | "otherKey";

/** The text of each reason, for logs and for users of the client library. */
export const refusalText: Readonly<Record<Refusal, string>> = {
  keyWanted: "it wants encryption: a client gives its key, a member has --curve",
  keyUnwanted: "it is not encrypted, and a key was given for it",
  otherKey: "it ended the connection: its key is another than the one given",
};

/**
 * Returns whether only one of the two sides encrypts. Attempts fail until one of them changes its
 * setting.
 */
export function isMismatch(refusal: Refusal | undefined): boolean {
  return refusal === "keyWanted" || refusal === "keyUnwanted";
}
