import { homedir } from "node:os";
import { join } from "node:path";

/** Where a person's programs keep what is to last from one run to the next (XDG). */
export function stateFolder(): string {
  return join(process.env.XDG_STATE_HOME || join(homedir(), ".local", "state"), "tertulia");
}
