import {
  type Forwarder,
  type ForwarderEntrance,
  startBroker,
  startProxy,
} from "../../src/net/forwarder.ts";

/** Any free port of this machine. */
export const anyPort = "tcp://127.0.0.1:*";

export interface LocalForwarder extends Forwarder, AsyncDisposable {
  /** Connections on each side, as they stand now. */
  readonly connections: { front: number; back: number };
}

async function open(
  start: typeof startBroker,
  entrance?: ForwarderEntrance,
): Promise<LocalForwarder> {
  const connections = { front: 0, back: 0 };
  const forwarder = await start({
    front: anyPort,
    back: anyPort,
    ...(entrance && { entrance }),
    onConnections: (side, count) => {
      connections[side] = count;
    },
  });
  return { ...forwarder, connections, [Symbol.asyncDispose]: () => forwarder.close() };
}

export function localBroker(entrance?: ForwarderEntrance): Promise<LocalForwarder> {
  return open(startBroker, entrance);
}

export function localProxy(entrance?: ForwarderEntrance): Promise<LocalForwarder> {
  return open(startProxy, entrance);
}

/** Closes in reverse order what has no dispose of its own. */
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
