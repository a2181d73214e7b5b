import { type Forwarder, startBroker as startForwarder } from "../net/forwarder.ts";
import { ReferenceLink, reportPresence } from "../net/reference-link.ts";
import { advertised } from "../net/socket.ts";
import { openLog } from "../platform/log.ts";
import { randomHex } from "../platform/random.ts";
import type { Running } from "../platform/run-process.ts";
import { LamportClock } from "../protocol/lamport-clock.ts";
import { limits } from "../protocol/limits.ts";
import { openProcessFile } from "../storage/process-file.ts";
import type { BrokerConfig } from "./config.ts";

export interface Broker extends Running, Pick<Forwarder, "front" | "back"> {
  readonly name: string;
}

/** Requests to the servers in turn, replies back; the loop itself is libzmq's. */
export async function startBroker(config: BrokerConfig): Promise<Broker> {
  const file = await openProcessFile(config.folder, "broker", () => `broker_${randomHex(4)}`);
  const clock = new LamportClock(file.savedClock);
  const log = openLog({
    level: config.logLevel,
    role: "broker",
    name: () => file.name,
    clock: () => clock.value,
  });
  const counts = { front: 0, back: 0 };
  const link = new ReferenceLink(config.reference, clock);
  const forwarder = await startForwarder({
    front: config.front,
    back: config.back,
    onConnections: (side, count) => {
      const gone = count < counts[side];
      counts[side] = count;
      if (side === "back") log.info({ servers: count }, gone ? "A server went" : "A server came");
      // libzmq does not tell why: the client closed it, or sent a frame that was too large.
      else if (gone) log.debug({ clients: count, frameBytes: limits.frameBytes }, "A client went");
    },
  });
  const address = advertised(forwarder.front, config.advertiseHost);
  const presence = reportPresence(link, { name: file.name, role: "broker", address });
  log.info({ front: forwarder.front, back: forwarder.back }, "Ready");
  return {
    name: file.name,
    front: forwarder.front,
    back: forwarder.back,
    ended: forwarder.ended,
    [Symbol.asyncDispose]: async () => {
      presence[Symbol.dispose]();
      link.close();
      await forwarder.close();
      await file.save(clock);
      await file[Symbol.asyncDispose]();
      log.info("Stopped");
    },
  };
}
