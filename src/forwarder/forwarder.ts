import type { Forwarder, ForwarderOptions } from "../net/forwarder.ts";
import { Membership } from "../net/membership.ts";
import { reportPresence } from "../net/reference-link.ts";
import { advertised } from "../net/socket.ts";
import { type Log, openLog } from "../platform/log.ts";
import { randomHex } from "../platform/random.ts";
import { announceReady, crash, type Running, runProcess } from "../platform/run-process.ts";
import type { Settings } from "../platform/settings.ts";
import { LamportClock } from "../protocol/lamport-clock.ts";
import { ClockFile } from "../storage/clock-file.ts";
import { openProcessFile } from "../storage/process-file.ts";
import { type ForwarderConfig, forwarderConfig } from "./config.ts";

/** What tells a broker from a proxy; all else they share. */
export interface ForwarderRole {
  readonly role: "broker" | "proxy";
  /** Where the front and the back are bound unless told. */
  readonly ends: { readonly front: string; readonly back: string };
  start(options: ForwarderOptions): Promise<Forwarder>;
  /** What the log says when the connections of a side have changed. */
  report(log: Log, side: "front" | "back", counts: { before: number; now: number }): void;
}

/** One broker or proxy in the foreground. */
export function runForwarder(kind: ForwarderRole, settings: Settings): Promise<void> {
  return runProcess(() => start(kind, forwarderConfig(kind.role, kind.ends, settings)));
}

async function start(kind: ForwarderRole, config: ForwarderConfig): Promise<Running> {
  const { role } = kind;
  const { secret, keys } = config;
  const file = await openProcessFile(config.slots, role, () => `${role}_${randomHex(4)}`);
  const { name } = file;
  const clock = new LamportClock(file.savedClock);
  const clockFile = await ClockFile.open(file.folder, clock, crash);
  const level = config.logLevel;
  const log = openLog({ level, role, name: () => name, clock: () => clock.value });
  const counts = { front: 0, back: 0 };
  const membership = new Membership({ secret, keys, self: () => name, clock, log });
  const link = membership.referenceLink(config.reference);
  const forwarder = await kind.start({
    front: config.front,
    back: config.back,
    entrance: membership.entrance,
    onConnections: (side, count) => {
      kind.report(log, side, { before: counts[side], now: count });
      counts[side] = count;
    },
  });
  const { front, back } = forwarder;
  const address = advertised(front, config.advertiseHost);
  const presence = reportPresence(link, { name, role, address });
  log.info({ front, back }, "Ready");
  announceReady({ name, endpoints: { front, back } });
  return {
    ended: forwarder.ended,
    [Symbol.asyncDispose]: async () => {
      presence[Symbol.dispose]();
      link.close();
      await forwarder.close();
      await file.save(clock);
      await clockFile[Symbol.asyncDispose]();
      await file[Symbol.asyncDispose]();
      log.info("Stopped");
    },
  };
}
