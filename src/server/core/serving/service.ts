import type {
  Envelope,
  ParsedRequest,
  RequestOf,
  Service,
} from "../../../protocol/client-messages.ts";
import type { Fields } from "../../../protocol/fields.ts";
import type { UserName } from "../../../protocol/ids.ts";
import type { Replies } from "../../../protocol/replies.ts";
import type { Access } from "../accounts/access.ts";
import type { Circumstances, Decision, Services } from "./decision.ts";

/** A whole service: how it reads requests, whom it serves, what it decides and how it replies. */
export interface ServiceRow<R extends ParsedRequest = ParsedRequest, Answer extends object = object>
  extends Access<R> {
  /** Reads the request's own fields. @throws ProtocolError that names the wrong field */
  parse(data: Fields): OwnFields<R>;
  /** The user whose pace the request counts for, if it makes a message or a channel (X4). */
  sender?(request: R): UserName | undefined;
  /** The secret that the request may be guessing: a user's password, or an invitation (X4). */
  guesses?(request: R): Guess | undefined;
  /** Whether it is served in every phase, however busy the server is. */
  readonly isAlwaysServed?: true;
  decide(services: Services, request: R, at: Circumstances): Decision<Answer>;
  /** The original protocol's status for success, where that is not `OK` (W8). */
  readonly success?: "sucesso";
  /** Whether an error has its text also as `message`, as in the original protocol (W8). */
  readonly repeatsError?: true;
}

export interface Guess {
  readonly passwordOf?: UserName;
  readonly invitation?: string | undefined;
}

type OwnFields<R> = Omit<R, keyof Envelope | "service">;

/** The services by name. A module has a table of its own; `services.ts` joins them. */
export type ServiceTable = Readonly<Record<string, ServiceRow>>;

/** The rows of some services of the protocol: their requests and answers have types. */
export type ServiceRows<S extends Service> = {
  readonly [Name in S]: ServiceRow<RequestOf<Name>, Replies[Name]>;
};

/** The row of a request that has passed the gate, which lets only known services pass. */
export function rowOf(table: ServiceTable, { service }: ParsedRequest): ServiceRow {
  const row = table[service];
  if (row === undefined) throw new Error(`there is no service "${service}"`);
  return row;
}
