import { writeFileSync } from "node:fs";
import { jetstream, jetstreamManager, StorageType } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { freePorts } from "../../src/trials/free-ports.ts";
import { Audience, fanOut, fanOutFigures } from "../audience.ts";
import { messageText, numbered } from "../message.ts";
import { rawFanOut } from "../raw.ts";
import type { Workload } from "../workload.ts";
import { measureWrites } from "../write-loads.ts";
import { missingProgram, Programs, untilReady, versionOf } from "./server-program.ts";

const program = "nats-server";
const members = 3;
const subject = "bench";
const listener = new URL("nats-listener.ts", import.meta.url);

/** A cluster of three servers with JetStream. */
class NatsCluster implements AsyncDisposable {
  readonly servers: string[];
  readonly #programs: Programs;
  readonly #connections: NatsConnection[] = [];

  private constructor(programs: Programs, servers: string[]) {
    this.#programs = programs;
    this.servers = servers;
  }

  /** @param sync a line of the configuration of JetStream */
  static async start(sync = ""): Promise<NatsCluster> {
    const programs = await Programs.make();
    const ports = await freePorts(2 * members);
    const routes = ports.slice(members).map((port) => `nats://127.0.0.1:${port}`);
    for (const [index, port] of ports.slice(0, members).entries()) {
      const path = programs.path(`${index}.conf`);
      writeFileSync(
        path,
        `server_name: server${index}
        listen: 127.0.0.1:${port}
        jetstream { store_dir: "${programs.path(String(index))}"
          ${sync} }
        cluster { name: bench, listen: 127.0.0.1:${ports[members + index]}
          routes: [${routes.join(", ")}] }`,
      );
      programs.start(program, "-c", path);
    }
    const servers = ports.slice(0, members).map((port) => `127.0.0.1:${port}`);
    return new NatsCluster(programs, servers);
  }

  async connect(): Promise<NatsConnection> {
    const connection = await untilReady(() => connect({ servers: this.servers }));
    this.#connections.push(connection);
    return connection;
  }

  /** Creates a stream with a replica on each server. */
  async createStream(): Promise<void> {
    const connection = await this.connect();
    const stream = { name: subject, subjects: [subject], num_replicas: members };
    await untilReady(async () => {
      const manager = await jetstreamManager(connection);
      await manager.streams.add({ ...stream, storage: StorageType.File });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#connections) await connection.close();
    await this.#programs[Symbol.asyncDispose]();
  }
}

function jetStreamWrites(sync?: string): Workload["measure"] {
  return async (trial) => {
    await using cluster = await NatsCluster.start(sync);
    await cluster.createStream();
    return await measureWrites(trial, (connections) => {
      const opened = Array.from({ length: connections }, async () => {
        const stream = jetstream(await cluster.connect());
        return () => stream.publish(subject, messageText);
      });
      return Promise.all(opened);
    });
  };
}

export const jetStream: Workload = {
  name: "jetstream",
  description: "NATS JetStream, three replicas: writes in the memory of a majority",
  missing: () => missingProgram(program),
  measure: jetStreamWrites(),
};

export const jetStreamSynced: Workload = {
  name: "jetstream-always",
  description: "NATS JetStream, three replicas, `sync_interval: always`: on a majority's disks",
  missing() {
    const [major, minor] = versionOf(program) ?? [0, 0];
    const isNew = major > 2 || (major === 2 && minor >= 10);
    return missingProgram(program) ?? (isNew ? undefined : `it needs ${program} 2.10 or newer.`);
  },
  measure: jetStreamWrites("sync_interval: always"),
};

export const natsCore: Workload = {
  name: "nats-core",
  description: "NATS core: one publisher, ten subscriber processes, nothing is stored",
  missing: () => missingProgram(program),
  async measure({ seconds }) {
    await using cluster = await NatsCluster.start();
    const connection = await cluster.connect();
    using audience = await Audience.start(listener);
    await audience.openProbed(cluster.servers, () => connection.publish(subject, ""));
    const publish = (number: number) => connection.publish(subject, numbered(number));
    const live = await fanOut({ audience, publish, inFlight: 1, seconds });
    return fanOutFigures("live", live, await rawFanOut(seconds));
  },
};
