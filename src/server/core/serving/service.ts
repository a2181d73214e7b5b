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

/** A service, whole: how its requests are read, whom it serves, what it decides and how it replies. */
export interface ServiceRow<
  Asked extends ParsedRequest = ParsedRequest,
  Answer extends object = object,
> extends Access<Asked> {
  /** Reads the request's own fields. @throws ProtocolError that names the wrong field */
  parse(data: Fields): OwnFields<Asked>;
  /** The user whose pace it counts for, if it makes a message or a channel (X4). */
  sender?(request: Asked): UserName | undefined;
  /** The secret that the request may be guessing: a user's password, or an invitation (X4). */
  guesses?(request: Asked): Guess | undefined;
  /** Whether it is served in every phase, and however busy the server is. */
  readonly isAlwaysServed?: true;
  decide(services: Services, request: Asked, at: Circumstances): Decision<Answer>;
  /** The original protocol's word for success; `OK` unless told (W8). */
  readonly success?: "sucesso";
  /** Whether an error's text stands under `message` too, as the original has it (W8). */
  readonly repeatsError?: true;
}

export interface Guess {
  readonly passwordOf?: UserName;
  readonly invitation?: string | undefined;
}

type OwnFields<Asked> = Omit<Asked, keyof Envelope | "service">;

/** The services by name. A module has a table of its own; `services.ts` joins them. */
export type ServiceTable = Readonly<Record<string, ServiceRow>>;

/** The rows of some services of ours: their requests and answers have types. */
export type ServiceRows<S extends Service> = {
  readonly [Name in S]: ServiceRow<RequestOf<Name>, Replies[Name]>;
};

/** The row of a request that has passed the gate, which lets known services pass only. */
export function rowOf(table: ServiceTable, { service }: ParsedRequest): ServiceRow {
  const row = table[service];
  if (row === undefined) throw new Error(`there is no service "${service}"`);
  return row;
}
