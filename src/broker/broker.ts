import type { ForwarderRole } from "../forwarder/forwarder.ts";
import { startBroker } from "../net/forwarder.ts";
import { limits } from "../protocol/limits.ts";

/** Requests to the servers in turn, replies back; the loop itself is libzmq's. */
export const broker: ForwarderRole = {
  role: "broker",
  ends: { front: "tcp://127.0.0.1:5555", back: "tcp://127.0.0.1:5556" },
  start: startBroker,
  report(log, side, { before, now }) {
    const gone = now < before;
    if (side === "back") log.info({ servers: now }, gone ? "A server went" : "A server came");
    // libzmq does not tell why: the client closed it, or sent a frame that was too large.
    else if (gone) log.debug({ clients: now, frameBytes: limits.frameBytes }, "A client went");
  },
};
