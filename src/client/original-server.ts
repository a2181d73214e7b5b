import type { Service } from "../protocol/client-messages.ts";
import { ProtocolError } from "../protocol/errors.ts";
import type { Fields } from "../protocol/fields.ts";
import { parseDescription, parseReply } from "../protocol/parse-reply.ts";
import { areStrings, IncompleteReply, type Reply } from "../protocol/replies.ts";

/**
 * The outcome of a request to a server that speaks only the original protocol.
 *
 * - `accepted`: the server answered the write with OK, without a receipt
 * - `refused`: the server answered with an error, without a code
 * - `unreadable`: the answer can't be understood
 * - `noService`: the original protocol has no such service
 * - `silent`: a server of the original protocol did not answer the request
 */
export type OriginalOutcome = "accepted" | "refused" | "unreadable" | "noService" | "silent";

const english: Readonly<Record<OriginalOutcome, string>> = {
  accepted: "The server speaks only the original protocol: it answered OK, without a receipt.",
  refused: "The server speaks only the original protocol, and refused.",
  unreadable: "The server's answer can't be understood, so it is unknown whether it was done.",
  noService: "The server speaks only the original protocol, which has no such service.",
  silent: "The server speaks only the original protocol, and did not answer.",
};

/**
 * The error that ends a request to a server of the original protocol. The request is never resent.
 */
export class OriginalServerError extends ProtocolError {
  readonly outcome: OriginalOutcome;
  readonly service: string;
  /** The description in the server's answer, or empty. */
  readonly words: string;

  constructor(outcome: OriginalOutcome, service: string, words = "") {
    super("unsupported", words === "" ? english[outcome] : `${english[outcome]} (${words})`);
    this.outcome = outcome;
    this.service = service;
    this.words = words;
  }
}

/** The services of the original protocol. Its replies to the services in `lists` have no status. */
const writes: readonly string[] = ["login", "channel", "publish", "message"];
const lists: readonly string[] = ["users", "channels"];
const successes: readonly unknown[] = ["ok", "sucesso", "success"];

export function isOriginalService(service: string): boolean {
  return writes.includes(service) || isList(service);
}

export function isList(service: string): boolean {
  return lists.includes(service);
}

/**
 * Reads a reply of a server of the original protocol.
 * @returns the names that a reply to `users` or `channels` lists; an error for any other reply
 */
export function readOriginalReply(service: string, data: Fields): Fields | OriginalServerError {
  if (!isOriginalService(service)) return new OriginalServerError("noService", service);
  const { status } = data;
  const isSuccess = typeof status === "string" && successes.includes(status.toLowerCase());
  if (isSuccess && writes.includes(service)) return new OriginalServerError("accepted", service);
  if (isList(service) && (isSuccess || status === undefined)) {
    // In the original specification, the reply to `channels` has the channels in a field `users`.
    const names = [data[service], data.users].find((list) => areStrings(list));
    if (names !== undefined) return { [service]: names };
  }
  const words = parseDescription(data);
  const why = words === "" && typeof status === "string" ? status : words;
  const isRefused = !isSuccess && why !== "";
  return new OriginalServerError(isRefused ? "refused" : "unreadable", service, why);
}

/**
 * Parses the fields of an answer with the status OK.
 * @throws ProtocolError `unsupported`, if the answer lacks a required field
 */
export function readReply<S extends Service>(service: S, data: Fields): Reply<S> {
  try {
    return parseReply(service, data);
  } catch (error) {
    const isAccepted = error instanceof IncompleteReply && error.field === "entry";
    throw isAccepted ? new OriginalServerError("accepted", service) : error;
  }
}

/**
 * Waits for a write. @returns its receipt; undefined if a server of the original protocol accepted
 * the write
 */
export async function receiptIfAny<Receipt>(write: Promise<Receipt>): Promise<Receipt | undefined> {
  try {
    return await write;
  } catch (error) {
    if (error instanceof OriginalServerError && error.outcome === "accepted") return undefined;
    throw error;
  }
}
