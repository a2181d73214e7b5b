import type { RequestId, UserName } from "../../protocol/ids.ts";
import type { Target } from "./target.ts";

/** A message that was accepted from a person, and that no receipt has come for. */
export interface Outgoing {
  /** To be sent with it each time: so it takes effect once (R6). */
  readonly id: RequestId;
  readonly user: UserName;
  readonly target: Target;
  readonly text: string;
  /** When it was accepted: milliseconds since 1970. */
  readonly atMs: number;
}
