import { broker } from "../../src/broker/main.ts";
import {
  type Forwarder,
  type ForwarderOptions,
  type ForwarderRole,
  type Side,
  startForwarder,
} from "../../src/forwarder/forwarder.ts";
import { anybody, type Entrance } from "../../src/net/listener.ts";
import { LamportClock } from "../../src/protocol/lamport-clock.ts";
import { proxy } from "../../src/proxy/main.ts";

/** An endpoint to bind at any free port of this machine. */
export const anyPort = "tcp://127.0.0.1:*";

export interface LocalForwarder extends Forwarder, AsyncDisposable {
  /** The present number of connections on each side. */
  readonly connections: { front: number; back: number };
  /** The names that two connections shared, one entry for each report. */
  readonly sharedNames: readonly string[];
}

type Entrances = Readonly<Record<Side, Entrance>>;
const open: Entrances = { front: anybody, back: anybody };

/** The options of a forwarder in a test, bound to free ports. */
export function forwarderOptions(
  onConnections: ForwarderOptions["onConnections"],
  entrance = open,
  onSharedName: ForwarderOptions["onSharedName"] = () => {},
): ForwarderOptions {
  const self = { name: "forwarder", clock: new LamportClock() };
  return { front: anyPort, back: anyPort, entrance, self, onConnections, onSharedName };
}

async function start(kind: ForwarderRole, entrance?: Entrances): Promise<LocalForwarder> {
  const connections = { front: 0, back: 0 };
  const sharedNames: string[] = [];
  const options = forwarderOptions(
    (side, count) => {
      connections[side] = count;
    },
    entrance,
    (name) => sharedNames.push(name),
  );
  const forwarder = await startForwarder(kind, options);
  return { ...forwarder, connections, sharedNames, [Symbol.asyncDispose]: () => forwarder.close() };
}

export function localBroker(entrance?: Entrances): Promise<LocalForwarder> {
  return start(broker, entrance);
}

export function localProxy(entrance?: Entrances): Promise<LocalForwarder> {
  return start(proxy, entrance);
}

/** Closes objects without a dispose method, in reverse order. */
export class Closing implements AsyncDisposable {
  readonly #open: { close(): void | Promise<void> }[] = [];

  add<T extends { close(): void | Promise<void> }>(closable: T): T {
    this.#open.push(closable);
    return closable;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const closable of this.#open.reverse()) await closable.close();
  }
}
