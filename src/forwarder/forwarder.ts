import type { Entrance } from "../net/listener.ts";
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

export interface Forwarder {
  /** Where the two sides are bound, with their real ports. */
  readonly front: string;
  readonly back: string;
  close(): Promise<void>;
}

export type Side = "front" | "back";

export interface ForwarderOptions {
  readonly front: string;
  readonly back: string;
  readonly entrance: Readonly<Record<Side, Entrance>>;
  /** Connections on the front and on the back. */
  onConnections(side: Side, count: number): void;
  /** Two connections to a broker's front use this name (`Identity`), one character a byte. */
  onSharedName(identity: string): void;
  /** This process, for what it says itself. */
  readonly self: { readonly name: string; readonly clock: LamportClock };
}

/** What tells a broker from a proxy; all else they share. */
export interface ForwarderRole {
  readonly role: "broker" | "proxy";
  /** Where the front and the back are bound unless told. */
  readonly ends: Readonly<Record<Side, string>>;
  /**
   * The side where members alone connect (X7): there requests are handed out, or messages
   * published.
   */
  readonly members: Side;
  start(options: ForwarderOptions): Promise<Forwarder>;
  /** What the log says when the connections of a side have changed. */
  report(log: Log, side: Side, counts: { before: number; now: number }): void;
}

/** One broker or proxy in the foreground. */
export function runForwarder(kind: ForwarderRole, settings: Settings): Promise<void> {
  const config = forwarderConfig(kind.role, kind.ends, settings);
  return runProcess(() => start(kind, config));
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
  const forMembers = membership.forMembers({ withGuests: config.guestServers });
  const forwarder = await kind.start({
    front: config.front,
    back: config.back,
    entrance: {
      front: kind.members === "front" ? forMembers : membership.forGuests,
      back: kind.members === "back" ? forMembers : membership.forGuests,
    },
    self: { name, clock },
    onConnections: (side, count) => {
      kind.report(log, side, { before: counts[side], now: count });
      counts[side] = count;
    },
    onSharedName: (identity) => membership.refusals.sharedName(identity),
  });
  const { front, back } = forwarder;
  const address = advertised(front, config.advertiseHost);
  const presence = reportPresence(link, {
    name,
    role,
    address,
    refused: membership.refusals.counts,
    ...(config.guestServers ? { guestServers: true } : {}),
  });
  if (config.guestServers) log.warn("Servers that are no members may connect (--guest-servers)");
  log.info({ front, back }, "Ready");
  announceReady({ name, endpoints: { front, back } });
  return {
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
