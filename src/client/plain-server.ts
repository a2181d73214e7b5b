import { ProtocolError } from "../protocol/errors.ts";
import { parseNames, parseWords } from "../protocol/parse-reply.ts";

type Fields = Readonly<Record<string, unknown>>;

/**
 * What became of a request to a server that speaks only the original protocol.
 *
 * - `accepted`: a write was answered OK, without a receipt
 * - `refused`: it was answered with an error, in words only
 * - `unreadable`: it was answered, and nobody knows how
 * - `noService`: the original protocol has no such service
 * - `silent`: a server of that kind is there, and did not answer
 */
export type PlainOutcome = "accepted" | "refused" | "unreadable" | "noService" | "silent";

const english: Readonly<Record<PlainOutcome, string>> = {
  accepted: "The server speaks only the original protocol: it answered OK, without a receipt.",
  refused: "The server speaks only the original protocol, and refused.",
  unreadable: "The server's answer can't be understood: nobody knows whether it was done.",
  noService: "The server speaks only the original protocol, which has no such service.",
  silent: "The server speaks only the original protocol, and did not answer.",
};

/** A request has ended at a server of the original protocol: it is never sent again. */
export class PlainServerError extends ProtocolError {
  readonly outcome: PlainOutcome;
  readonly service: string;
  /** The server's own, if it said any. */
  readonly words: string;

  constructor(outcome: PlainOutcome, service: string, words = "") {
    super("unsupported", words === "" ? english[outcome] : `${english[outcome]} (${words})`);
    this.outcome = outcome;
    this.service = service;
    this.words = words;
  }
}

/** What the original protocol has; the lists have no status there. */
const writes: readonly string[] = ["login", "channel", "publish", "message"];
const lists: readonly string[] = ["users", "channels"];
const successes: readonly unknown[] = ["ok", "sucesso", "success"];

export function isOriginal(service: string): boolean {
  return writes.includes(service) || lists.includes(service);
}

/** A reply that lacks what each of ours has: to a list it suffices, to all else it is an error. */
export function readPlain(service: string, data: Fields): Fields | PlainServerError {
  if (!isOriginal(service)) return new PlainServerError("noService", service);
  const { status } = data;
  const isSuccess = typeof status === "string" && successes.includes(status.toLowerCase());
  if (isSuccess && writes.includes(service)) return new PlainServerError("accepted", service);
  if (lists.includes(service) && (isSuccess || status === undefined)) {
    // The original text has channels under `users` too.
    const names = parseNames(data[service]) ?? parseNames(data.users);
    if (names !== undefined) return { [service]: names };
  }
  const words = parseWords(data);
  const why = words === "" && typeof status === "string" ? status : words;
  const isRefused = !isSuccess && why !== "";
  return new PlainServerError(isRefused ? "refused" : "unreadable", service, why);
}

/** Of a write: its receipt, or undefined where the server said yes and gives none. */
export async function receiptIfAny<Receipt>(write: Promise<Receipt>): Promise<Receipt | undefined> {
  try {
    return await write;
  } catch (error) {
    if (error instanceof PlainServerError && error.outcome === "accepted") return undefined;
    throw error;
  }
}
