import { closeSync, fstatSync, openSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Connection } from "../../src/client/connection.ts";
import { pause } from "../../src/platform/clock.ts";
import { parseUserName } from "../../src/protocol/ids.ts";
import { channel } from "../chat-load.ts";
import { measure } from "../measure.ts";
import { messageText } from "../message.ts";
import {
  cli,
  descriptors,
  Embedded,
  megabytes,
  TemporaryFolder,
  withoutProc,
} from "../processes.ts";
import { type Figure, figures, none, type Workload } from "../workload.ts";

const sampleMs = 30_000;
const dayMs = 86_400_000;
/**
 * The servers keep so few publications that they reach this bound early. So from then on, what
 * they keep does not grow.
 */
const environment = { TERTULIA_KEEP_PUBLICATIONS: "2000" };

/** What one process uses at one time. */
interface Use {
  readonly megabytes: number;
  readonly descriptors: number;
}

interface Sample {
  readonly ms: number;
  /** In the order of the cluster's processes. */
  readonly uses: readonly Use[];
  /** Bytes of all servers' journals, by path. */
  readonly journals: ReadonlyMap<string, number>;
  readonly logBytes: number;
}

export const endurance: Workload<"minutes" | "perSecond"> = {
  name: "endurance",
  description: "memory, descriptors, journal and logs of `tertulia up` under an even load",
  counts: { minutes: 60, perSecond: 50 },
  missing: withoutProc,
  async measure({ counts: { minutes, perSecond }, note }) {
    await using data = await TemporaryFolder.make();
    const log = openSync(join(data.path, "up.log"), "a");
    await using cluster = await Embedded.start([process.execPath, cli, "up"], data.path, {
      environment,
      log,
    });
    using load = await Load.start(cluster, perSecond);
    const samples: Sample[] = [];
    const startMs = performance.now();
    const endMs = startMs + 60_000 * minutes;
    while (performance.now() < endMs) {
      samples.push(sampleOf(cluster, data.path, log));
      note(lineOf(samples, startMs));
      await pause(Math.min(sampleMs, endMs - performance.now()));
    }
    samples.push(sampleOf(cluster, data.path, log));
    closeSync(log);
    const { failed, received, acknowledged } = load;
    return [
      ...figuresOf(cluster, samples),
      ...figures("load", { acknowledged, received }),
      none("load: failed", failed),
    ];
  },
};

/** A writer and a listener. */
class Load implements Disposable {
  failed = 0;
  acknowledged = 0;
  received = 0;
  readonly #connection: Connection;
  readonly #over = new AbortController();

  private constructor(connection: Connection) {
    this.#connection = connection;
  }

  static async start({ ready }: Embedded, perSecond: number): Promise<Load> {
    const proxies = ready.proxy.split(",");
    const connection = new Connection({ brokers: ready.broker.split(","), proxies });
    const load = new Load(connection);
    const [writer, listener] = [connection.session(), connection.session()];
    await writer.login(parseUserName("writer"));
    await writer.createChannel(channel);
    await listener.login(parseUserName("listener"));
    await listener.subscribe({ channel }, () => {
      load.received += 1;
    });
    const write = async () => {
      try {
        await writer.publish(channel, messageText);
        load.acknowledged += 1;
      } catch {
        load.failed += 1;
      }
    };
    const until = load.#over.signal;
    void measure(write, { inFlight: 16, everyMs: 1_000 / perSecond, until });
    return load;
  }

  [Symbol.dispose](): void {
    this.#over.abort();
    this.#connection.close();
  }
}

function sampleOf({ pids }: Embedded, folder: string, log: number): Sample {
  const uses = pids.map((pid) => ({
    megabytes: megabytes([pid]),
    descriptors: descriptors(pid),
  }));
  const journals = new Map<string, number>();
  for (const slot of readdirSync(join(folder, "servers"))) {
    const journal = join(folder, "servers", slot, "journal");
    for (const name of readdirSync(journal)) {
      const path = join(journal, name);
      journals.set(path, statSync(path).size);
    }
  }
  return { ms: performance.now(), uses, journals, logBytes: fstatSync(log).size };
}

function lineOf(samples: readonly Sample[], startMs: number): string {
  const { ms, uses, logBytes, journals } = samples.at(-1) as Sample;
  const seconds = Math.round((ms - startMs) / 1_000);
  const memory = uses.map((use) => use.megabytes.toFixed(1)).join(" ");
  const journal = [...journals.values()].reduce((sum, bytes) => sum + bytes, 0);
  return `${seconds} s: MB of ${memory}; journals ${journal} B, logs ${logBytes} B`;
}

/**
 * Tells the least and the most memory in the second and in the last third of the time. A heap grows
 * until it is collected, so only these bounds show whether memory grows.
 */
function figuresOf({ ready }: Embedded, samples: readonly Sample[]): Figure[] {
  const third = Math.floor(samples.length / 3);
  const thirds = { "2nd third": samples.slice(third, -third), "last third": samples.slice(-third) };
  const roles = ["up", ...ready.processes.map(({ role }) => role)];
  const found = roles.flatMap((role, index) => {
    const number = roles.slice(0, index).filter((earlier) => earlier === role).length + 1;
    const memory = Object.entries(thirds).flatMap(([name, some]) => {
      const all = some.map(({ uses }) => uses[index]?.megabytes ?? 0);
      return [
        [`least MB, ${name}`, Math.min(...all)],
        [`most MB, ${name}`, Math.max(...all)],
      ];
    });
    const open = samples.map(({ uses }) => uses[index]?.descriptors ?? 0);
    return figures(`${role} ${number}`, {
      ...Object.fromEntries(memory),
      "least descriptors": Math.min(...open),
      "most descriptors": Math.max(...open),
    });
  });
  const [first, last] = [samples[0] as Sample, samples.at(-1) as Sample];
  const days = (last.ms - first.ms) / dayMs;
  const aDay = { "MB a day": written(samples) / 1e6 / days };
  const logs = { "MB a day": (last.logBytes - first.logBytes) / 1e6 / days };
  return [...found, ...figures("journals of all servers", aDay), ...figures("logs", logs)];
}

/** Bytes that the servers wrote to their journals; files that were removed meanwhile count too. */
function written(samples: readonly Sample[]): number {
  let bytes = 0;
  samples.slice(1).forEach(({ journals }, index) => {
    const before = samples[index]?.journals;
    for (const [path, size] of journals) bytes += Math.max(0, size - (before?.get(path) ?? 0));
  });
  return bytes;
}
