import { join } from "node:path";
import type { Process, Wiring } from "../cluster/supervisor.ts";
import type { Party, Relay } from "./relay.ts";

/** What the load and its clients are called among the parties of the relay. */
export const clientsParty: Party = "clients";

/**
 * Ports that a cluster with one broker and one proxy needs: each server reaches five endpoints and
 * is reached by its peers, broker and proxy reach the reference, clients reach broker and proxy.
 */
export function relayPorts(servers: number): number {
  return 6 * servers + 4;
}

export interface RelayWiringOptions {
  readonly relay: Relay;
  /** For the sockets at which the servers are bound, out of the others' reach. */
  readonly folder: string;
  /** The process that bears a server's name at present. */
  readonly partyOf: (server: string) => Party | undefined;
}

/** Lets all processes of a cluster reach each other through a relay. */
export class RelayWiring implements Wiring {
  readonly #options: RelayWiringOptions;
  /** The relay's endpoints, by who uses them for what. */
  readonly #endpoints = new Map<string, string>();

  constructor(options: RelayWiringOptions) {
    this.#options = options;
  }

  between(from: Process, to: Process, endpoint: string): string {
    return this.#route(from.label, to.label, endpoint);
  }

  /** The endpoint at which clients reach what a process has bound. */
  forClients(to: Process, endpoint: string): string {
    return this.#route(clientsParty, to.label, endpoint);
  }

  /** All peers know one address: who connects there tells it in each of his questions. */
  peerLink({ label, number }: Process): { bind: string; advertise: string } {
    const bind = `ipc://${join(this.#options.folder, `peer-${number}`)}`;
    const advertise = this.#once(`peers ${label}`, () => {
      const from = (bytes: Buffer) => this.#asker(bytes);
      return this.#options.relay.add({ from, to: label, target: bind });
    });
    return { bind, advertise };
  }

  #route(from: Party, to: Party, target: string): string {
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

  #asker(bytes: Buffer): Party | undefined {
    const [, name] = askerPattern.exec(bytes.toString("latin1")) ?? [];
    return name === undefined ? undefined : this.#options.partyOf(name);
  }
}

/** The field `server` of a question between peers, in MessagePack: a string of 15 bytes. */
const askerPattern = /\xa6server\xaf(server_[0-9a-f]{8})/;
