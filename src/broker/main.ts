import { type ForwarderRole, runForwarder } from "../forwarder/forwarder.ts";
import type { Settings } from "../platform/settings.ts";
import { Routing } from "./broker.ts";

/** Sends requests to the servers in turn, and replies back to their clients (B1 to B5). */
export const broker: ForwarderRole = {
  role: "broker",
  ends: { front: "tcp://127.0.0.1:5555", back: "tcp://127.0.0.1:5556" },
  members: "back",
  open: (options) => new Routing(options),
  report(log, side, { before, now: count }) {
    const gone = count < before;
    if (side === "back") log.info({ servers: count }, gone ? "A server went" : "A server came");
    else if (gone) log.debug({ clients: count }, "A client went");
  },
};

/** `tertulia broker`: runs one broker in the foreground. */
export function runBroker(settings: Settings): Promise<void> {
  return runForwarder(broker, settings);
}
