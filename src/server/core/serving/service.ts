import type {
  Envelope,
  Incoming,
  ParsedRequest,
  RequestOf,
  Service,
} from "../../../protocol/client-messages.ts";
import type { Fields } from "../../../protocol/fields.ts";
import type { HookId, UserName } from "../../../protocol/ids.ts";
import type { Replies } from "../../../protocol/replies.ts";
import type { Access } from "../accounts/access.ts";
import type { Circumstances, Decision, Services } from "./decision.ts";

/** One service: how it reads requests, whom it serves, what it decides and how it replies. */
export interface ServiceRow<R extends ParsedRequest = ParsedRequest, Answer extends object = object>
  extends Access<R> {
  /**
   * Reads the fields that only this service has.
   * @throws ProtocolError that names the wrong field
   */
  parse(data: Fields): OwnFields<R>;
  /**
   * If the request makes a message or a channel, or makes or revokes a hook, returns the user by
   * whose pace the request is limited (X4).
   */
  sender?(request: R, services: Services): UserName | undefined;
  /** If the request is a post, returns its hook, whose pace limits the request first (X4). */
  hook?(request: R, services: Services): HookId | undefined;
  /**
   * Returns the secret that the request may be guessing: a user's password, or an invitation (X4).
   */
  guesses?(request: R): Guess | undefined;
  /** How many requests a request counts as for its connection's pace (X4); by default 1. */
  readonly cost?: number;
  /** Whether the service is available in every phase, however busy the server is. */
  readonly isAlwaysServed?: true;
  decide(services: Services, request: R, at: Circumstances): Decision<Answer>;
  /** The status of a successful reply, if the original protocol does not use `OK` (W8). */
  readonly success?: "sucesso";
  /** Whether an error repeats its text in the field `message`, as in the original protocol (W8). */
  readonly repeatsError?: true;
}

export interface Guess {
  readonly passwordOf?: UserName;
  readonly invitation?: string | undefined;
}

type OwnFields<R> = Omit<R, keyof Envelope | "service">;

/** The services by name. Each module has its own table, and `services.ts` joins these tables. */
export type ServiceTable = Readonly<Record<string, ServiceRow>>;

/** The rows of some of the protocol's services, with typed requests and answers. */
export type ServiceRows<S extends Service> = {
  readonly [Name in S]: ServiceRow<RequestOf<Name>, Replies[Name]>;
};

/** Returns how many requests a request counts as for its connection's pace (X4). */
export function costOf(table: ServiceTable, request: Incoming): number {
  return "refused" in request ? 1 : (rowOf(table, request).cost ?? 1);
}

/** Returns the row of a request's service. The gate lets only requests of known services pass. */
export function rowOf(table: ServiceTable, { service }: ParsedRequest): ServiceRow {
  const row = table[service];
  if (row === undefined) throw new Error(`there is no service "${service}"`);
  return row;
}
