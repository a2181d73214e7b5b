import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Session } from "../../src/client/session.ts";
import type { Entry } from "../../src/protocol/publications.ts";
import type { Reply } from "../../src/protocol/replies.ts";
import type { Vector } from "../../src/protocol/vector.ts";
import { checkpointFiles } from "../../src/storage/checkpoint.ts";
import type { LocalCluster } from "../../src/trials/local-cluster.ts";
import { until } from "../support/until.ts";

/** The status of the cluster according to each server, by its name. */
export type Views = ReadonlyMap<string, Reply<"status">>;

const quietMs = 30_000;

/** Asks until each server has answered: the broker gives requests to them in turn. */
export async function viewsOf(cluster: LocalCluster, client: Session): Promise<Views> {
  const views = new Map<string, Reply<"status">>();
  const servers = cluster.of("server").length;
  while (views.size < servers) {
    const view = await client.status();
    views.set(String(view.server), view);
  }
  return new Map([...views].sort());
}

export function eventsOf(views: Views): number {
  const [first] = views.values();
  return Object.values(first?.committed ?? {}).reduce((sum, seq) => sum + seq, 0);
}

/** Waits until all servers have the same committed events, and no more come. */
export async function quiet(cluster: LocalCluster, client: Session): Promise<Views> {
  let views = await viewsOf(cluster, client);
  const vectorsOf = (all: Views) =>
    [...all.values()].map(({ committed }) => textOf(committed ?? {}));
  await until(
    async () => {
      const before = new Set(vectorsOf(views));
      views = await viewsOf(cluster, client);
      return before.size === 1 && vectorsOf(views).every((text) => before.has(text));
    },
    "the servers have the same",
    quietMs,
  );
  return views;
}

function textOf(vector: Vector): string {
  return JSON.stringify(Object.entries(vector).sort());
}

/** The contents of the disks of a stopped cluster. */
export interface Disks {
  /** The files that differ between replicas. */
  readonly unequal: string[];
  /** All messages, including duplicates of retried ones. */
  readonly entries: Entry[];
}

export function readDisks(folder: string): Disks {
  const slots = readdirSync(join(folder, "servers"));
  const textsOf = (file: string) =>
    slots.map((slot) => readFileSync(join(folder, "servers", slot, file), "utf8"));
  const entriesOf = (file: string) => JSON.parse(textsOf(file)[0] ?? "[]") as Entry[];
  return {
    unequal: checkpointFiles.filter((file) => new Set(textsOf(file)).size !== 1),
    entries: [...entriesOf("messages.json"), ...entriesOf("publications.json")],
  };
}

/** The errors that the processes have logged, each text once. */
export function errorsIn(folder: string): string[] {
  const texts = new Set<string>();
  for (const name of readdirSync(join(folder, "logs"))) {
    for (const line of readFileSync(join(folder, "logs", name), "utf8").split("\n")) {
      if (line.includes('"level":"error"')) texts.add(`${name}: ${JSON.parse(line).msg}`);
      else if (line.startsWith("tertulia:")) texts.add(`${name}: ${line}`);
    }
  }
  return [...texts];
}
