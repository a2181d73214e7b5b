import { join } from "node:path";
import type { Process, Wiring } from "../cluster/supervisor.ts";
import type { NodeName, Relay } from "./relay.ts";

/** The relay's name for the load and its clients. */
export const clientsNode: NodeName = "clients";

/**
 * Ports that a cluster with one broker and one proxy needs: each server reaches five endpoints and
 * is reached by its peers, broker and proxy reach the reference, clients reach broker and proxy.
 */
export function relayPorts(servers: number): number {
  return 6 * servers + 4;
}

export interface RelayWiringOptions {
  readonly relay: Relay;
  /** For the servers' sockets, which other processes reach through the relay only. */
  readonly folder: string;
  /** The process that has a server's name at present. */
  readonly nodeOf: (server: string) => NodeName | undefined;
}

/** Lets all processes of a cluster reach each other through a relay. */
export class RelayWiring implements Wiring {
  readonly #options: RelayWiringOptions;
  /** The relay's endpoints, by their user and use. */
  readonly #endpoints = new Map<string, string>();

  constructor(options: RelayWiringOptions) {
    this.#options = options;
  }

  between(from: Process, to: Process, endpoint: string): string {
    return this.#route(from.label, to.label, endpoint);
  }

  /** The endpoint at which clients reach what a process has bound. */
  forClients(to: Process, endpoint: string): string {
    return this.#route(clientsNode, to.label, endpoint);
  }

  /** All peers connect to one address; each question has the name of the server that asks. */
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

/** The field `server` of a question between peers, in MessagePack: a string of 15 bytes. */
const askerPattern = /\xa6server\xaf(server_[0-9a-f]{8})/;
