import type { ForwarderRole } from "../forwarder/forwarder.ts";
import { startProxy } from "../net/forwarder.ts";

/** Publications from the servers to all who subscribed. */
export const proxy: ForwarderRole = {
  role: "proxy",
  ends: { front: "tcp://127.0.0.1:5557", back: "tcp://127.0.0.1:5558" },
  start: startProxy,
  report(log, side, { now }) {
    if (side === "front") log.info({ publishers: now }, "Publishers");
    else log.debug({ subscribers: now }, "Subscribers");
  },
};
