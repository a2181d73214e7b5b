import { type Entrance, Listener, type ListenerOptions } from "../net/listener.ts";
import { type MeasuredProcess, measureProcess } from "../net/measure-process.ts";
import { Membership } from "../net/membership.ts";
import { openMetricsPort } from "../net/metrics-port.ts";
import { reportPresence } from "../net/reference-link.ts";
import { advertised } from "../net/socket.ts";
import { collectSeldom } from "../platform/heap.ts";
import { type Log, openLog } from "../platform/log.ts";
import type { Metrics } from "../platform/metrics.ts";
import { randomHex } from "../platform/random.ts";
import { announceReady, crash, type Running, runProcess } from "../platform/run-process.ts";
import type { Settings } from "../platform/settings.ts";
import { LamportClock } from "../protocol/lamport-clock.ts";
import { ClockFile } from "../storage/clock-file.ts";
import { openProcessFile } from "../storage/process-file.ts";
import { type ForwarderConfig, forwarderConfig } from "./config.ts";

export type Side = "front" | "back";
type Sides<T> = Readonly<Record<Side, T>>;

/** What differs between a broker and a proxy. */
export interface ForwarderRole {
  readonly role: "broker" | "proxy";
  /** The default endpoints of the front and the back. */
  readonly ends: Sides<string>;
  /**
   * The side to which only members connect (X7): servers, which get requests from a broker or
   * publish through a proxy.
   */
  readonly members: Side;
  open(options: ExchangeOptions): Exchange;
  /** Logs a change of the number of connections on a side. */
  report(log: Log, side: Side, counts: { before: number; now: number }): void;
}

/** Passes messages between the front and the back. */
export interface Exchange extends Sides<Omit<ListenerOptions, "entrance">> {
  /** Adds the metrics that only this kind of forwarder has (O50). */
  measure(metrics: Metrics): void;
  /** Called when the forwarder stops, before it ends its connections. */
  close?(): void;
}

export interface ExchangeOptions {
  /** The name and clock of this process, for replies that it sends itself. */
  readonly self: { readonly name: string; readonly clock: LamportClock };
  /**
   * Called with a name (`Identity`) that two connections to a broker's front have in common. The
   * text has one character per byte of the name.
   */
  onSharedName(identity: string): void;
}

export interface ForwarderOptions extends Sides<string>, ExchangeOptions {
  readonly entrance: Sides<Entrance>;
  onConnections(side: Side, count: number): void;
}

/** A running forwarder, with the endpoints of its two sides and their real ports. */
export interface Forwarder extends Sides<string>, Pick<Exchange, "measure"> {
  close(): Promise<void>;
}

/**
 * How far the heap may grow between two full collections. The multiple is large, because the heap
 * holds little but code; the bytes of messages are outside of it.
 */
const heapGrowth = 8;

/** Runs a broker or proxy in the foreground. */
export function runForwarder(kind: ForwarderRole, settings: Settings): Promise<void> {
  collectSeldom(heapGrowth);
  const config = forwarderConfig(kind.role, kind.ends, settings);
  return runProcess(() => start(kind, config));
}

export async function startForwarder(
  kind: ForwarderRole,
  options: ForwarderOptions,
): Promise<Forwarder> {
  const exchange = kind.open(options);
  const listeners: Listener[] = [];
  const close = async () => {
    exchange.close?.();
    await Promise.all(listeners.map((listener) => listener.close()));
  };
  const bind = async (side: Side) => {
    const listener = await Listener.bind(options[side], counted(exchange[side], side, options));
    listeners.push(listener);
    return listener.endpoint;
  };
  try {
    const [front, back] = [await bind("front"), await bind("back")];
    return { front, back, measure: (metrics) => exchange.measure(metrics), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Returns the options of one side's listener, which also report the number of the side's
 * connections.
 */
function counted(
  end: Exchange[Side],
  side: Side,
  { entrance, onConnections }: ForwarderOptions,
): ListenerOptions {
  let count = 0;
  const add = (change: number) => {
    count += change;
    onConnections(side, count);
  };
  return {
    ...end,
    entrance: entrance[side],
    onPeer: (peer) => {
      end.onPeer(peer);
      add(1);
    },
    onGone: (peer) => {
      end.onGone(peer);
      add(-1);
    },
  };
}

async function start(kind: ForwarderRole, config: ForwarderConfig): Promise<Running> {
  const { role, members } = kind;
  const { secret, keys, guestServers } = config;
  const file = await openProcessFile(config.slots, role, () => `${role}_${randomHex(4)}`);
  const { name } = file;
  const clock = new LamportClock(file.savedClock);
  const clockFile = await ClockFile.open(file.folder, clock, crash);
  const level = config.logLevel;
  const log = openLog({ level, role, name: () => name, clock: () => clock.value });
  const counts = { front: 0, back: 0 };
  const membership = new Membership({ secret, keys, self: () => name, clock, log });
  const link = membership.referenceLink(config.reference);
  const forMembers = membership.forMembers({ withGuests: guestServers });
  const { forGuests } = membership;
  const forwarder = await startForwarder(kind, {
    front: config.front,
    back: config.back,
    entrance: { front: forGuests, back: forGuests, [members]: forMembers },
    self: { name, clock },
    onConnections: (side, count) => {
      kind.report(log, side, { before: counts[side], now: count });
      counts[side] = count;
    },
    onSharedName: (identity) => membership.refusals.sharedName(identity),
  });
  const { front, back } = forwarder;
  const port = await openMetricsPort(config.metrics, () => {
    return counts[members] === 0 ? "no server is connected" : undefined;
  });
  measureForwarder(port.metrics, {
    role,
    name,
    clock,
    refused: membership.refusals.counts,
    counts,
  });
  forwarder.measure(port.metrics);
  const address = advertised(front, config.advertiseHost);
  const presence = reportPresence(link, {
    name,
    role,
    address,
    ...membership.selfReport,
    ...(guestServers && { guestServers }),
  });
  if (guestServers) log.warn("Servers that are no members may connect (--guest-servers)");
  log.info({ front, back, metrics: port.endpoint }, "Ready");
  announceReady({ name, endpoints: { front, back, metrics: port.endpoint } });
  return {
    [Symbol.asyncDispose]: async () => {
      presence[Symbol.dispose]();
      link.close();
      await forwarder.close();
      await file.save(clock);
      await clockFile[Symbol.asyncDispose]();
      await file[Symbol.asyncDispose]();
      await port[Symbol.asyncDispose]();
      log.info("Stopped");
    },
  };
}

interface MeasuredForwarder extends MeasuredProcess {
  readonly counts: Sides<number>;
}

function measureForwarder(metrics: Metrics, { counts, ...self }: MeasuredForwarder): void {
  measureProcess(metrics, self);
  metrics.gauge({ name: "tertulia_connections", help: "Open connections.", labels: ["side"] }, () =>
    (["front", "back"] as const).map((side) => ({ labels: { side }, value: counts[side] })),
  );
}
