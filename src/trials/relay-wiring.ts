import { join } from "node:path";
import type { Process, Wiring } from "../cluster/supervisor.ts";
import type { NodeName, Relay } from "./relay.ts";

/** The relay's name for all clients of the load. */
export const clientsNode: NodeName = "clients";

/**
 * Returns the number of ports for a cluster with one broker and one proxy. Each server connects to
 * five endpoints, and its peers connect to one endpoint of this server. Broker and proxy connect to
 * the reference, and clients to broker and proxy. If there is an engine, each server connects to each
 * server of the engine, and to a Redis if there is one.
 */
export function relayPorts(servers: number, stores = 0): number {
  return (6 + stores) * servers + 4;
}

export interface RelayWiringOptions {
  readonly relay: Relay;
  /**
   * The folder of the servers' Unix sockets. Other processes connect to these sockets only through
   * the relay.
   */
  readonly folder: string;
  /** Returns the label of the process that has a server's name at present. */
  readonly nodeOf: (server: string) => NodeName | undefined;
}

/** Connects all processes of a cluster through a relay. */
export class RelayWiring implements Wiring {
  readonly #options: RelayWiringOptions;
  /** The relay's endpoints, by the connecting process and the target. */
  readonly #endpoints = new Map<string, string>();

  constructor(options: RelayWiringOptions) {
    this.#options = options;
  }

  between(from: Process, to: Pick<Process, "label">, endpoint: string): string {
    return this.#route(from.label, to.label, endpoint);
  }

  /** Returns the relay's endpoint that leads clients to an endpoint that a process has bound. */
  forClients(to: Process, endpoint: string): string {
    return this.#route(clientsNode, to.label, endpoint);
  }

  /**
   * Returns the endpoints of a server's peer link. All peers connect to the same address. The relay
   * identifies each peer by the server name in the peer's questions.
   */
  peerLink({ label, number }: Process): { bind: string; advertise: string } {
    const bind = `ipc://${join(this.#options.folder, `peer-${number}`)}`;
    const advertise = this.#once(`peers ${label}`, () => {
      const from = (bytes: Buffer) => this.#asker(bytes);
      return this.#options.relay.add({ from, to: label, target: bind });
    });
    return { bind, advertise };
  }

  #route(from: NodeName, to: NodeName, target: string): string {
    const add = () => this.#options.relay.add({ from, to, target });
    return this.#once(`${from} ${target}`, add);
  }

  #once(key: string, add: () => string): string {
    const known = this.#endpoints.get(key);
    if (known !== undefined) return known;
    const endpoint = add();
    this.#endpoints.set(key, endpoint);
    return endpoint;
  }

  #asker(bytes: Buffer): NodeName | undefined {
    const [, name] = askerPattern.exec(bytes.toString("latin1")) ?? [];
    return name === undefined ? undefined : this.#options.nodeOf(name);
  }
}

/** Matches the field `server` of a question between peers, in MessagePack: a string of 15 bytes. */
const askerPattern = /\xa6server\xaf(server_[0-9a-f]{8})/;
