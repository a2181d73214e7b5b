import type { ConnectionState } from "../connection-watch.ts";
import type { Context } from "./context.ts";

const keys = {
  connected: "state.connected",
  reconnecting: "state.reconnecting",
  "gave up": "state.gaveUp",
} as const satisfies Record<ConnectionState, string>;

/**
 * Writes a note when the connection is lost, restored or given up, but not when it is first
 * established.
 */
export function stateNotes(
  context: Pick<Context, "text">,
  note: (line: string) => void,
): (state: ConnectionState) => void {
  let wasConnected = false;
  return (state) => {
    if (wasConnected || state === "gave up") note(context.text(keys[state]));
    wasConnected ||= state === "connected";
  };
}
