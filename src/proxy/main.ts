import { type ForwarderRole, runForwarder } from "../forwarder/forwarder.ts";
import type { Settings } from "../platform/settings.ts";
import { Hub } from "./proxy.ts";

/** Forwards publications of servers to all subscribers of their topic (P4). */
export const proxy: ForwarderRole = {
  role: "proxy",
  ends: { front: "tcp://127.0.0.1:5557", back: "tcp://127.0.0.1:5558" },
  members: "front",
  open: () => new Hub(),
  report(log, side, { now }) {
    if (side === "front") log.info({ publishers: now }, "Publishers");
    else log.debug({ subscribers: now }, "Subscribers");
  },
};

/** `tertulia proxy`: runs one proxy in the foreground. */
export function runProxy(settings: Settings): Promise<void> {
  return runForwarder(proxy, settings);
}
