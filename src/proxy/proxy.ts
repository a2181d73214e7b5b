import { type Forwarder, startProxy as startForwarder } from "../net/forwarder.ts";
import { ReferenceLink, reportPresence } from "../net/reference-link.ts";
import { advertised } from "../net/socket.ts";
import { openLog } from "../platform/log.ts";
import { randomHex } from "../platform/random.ts";
import type { Running } from "../platform/run-process.ts";
import { LamportClock } from "../protocol/lamport-clock.ts";
import { openProcessFile } from "../storage/process-file.ts";
import type { ProxyConfig } from "./config.ts";

export interface Proxy extends Running, Pick<Forwarder, "front" | "back"> {
  readonly name: string;
}

/** Publications from the servers to all who subscribed; the loop itself is libzmq's. */
export async function startProxy(config: ProxyConfig): Promise<Proxy> {
  const file = await openProcessFile(config.folder, "proxy", () => `proxy_${randomHex(4)}`);
  const clock = new LamportClock(file.savedClock);
  const log = openLog({
    level: config.logLevel,
    role: "proxy",
    name: () => file.name,
    clock: () => clock.value,
  });
  const link = new ReferenceLink(config.reference, clock);
  const forwarder = await startForwarder({
    front: config.front,
    back: config.back,
    onConnections: (side, count) => {
      if (side === "front") log.info({ publishers: count }, "Publishers");
      else log.debug({ subscribers: count }, "Subscribers");
    },
  });
  const address = advertised(forwarder.front, config.advertiseHost);
  const presence = reportPresence(link, { name: file.name, role: "proxy", address });
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
