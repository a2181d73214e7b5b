import type { RequestId, UserName } from "../../protocol/ids.ts";
import type { Target } from "./target.ts";

/** A message that was accepted from a person and has no receipt yet. */
export interface Outgoing {
  /** Each try uses this id, so that the message takes effect once (R6). */
  readonly id: RequestId;
  readonly user: UserName;
  readonly target: Target;
  readonly text: string;
  /** Time of acceptance, in milliseconds since 1970. */
  readonly atMs: number;
}
