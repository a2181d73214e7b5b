import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import type { Epoch } from "../protocol/epoch.ts";
import type { Process } from "./supervisor.ts";

/** An entry into office, as the server that entered it wrote it down. */
export interface Entered {
  /** The process, by its label. */
  readonly party: string;
  readonly epoch: Epoch;
  readonly wallMs: number;
}

const chunkBytes = 64 * 1024;
const pattern = /"time":"([^"]+)".*"msg":"Coordinator, epoch (\d+)\.(\d+)"/;

/**
 * Who is in office in a cluster on this machine, by the logs of its servers (level info): nobody
 * need answer for it, and a process that was stopped or cut off is still known to hold the office.
 */
export class OfficeWatch {
  readonly #logs: readonly ServerLog[];
  readonly #entered: Entered[] = [];

  /** @param folder the cluster's data folder */
  constructor(folder: string, servers: readonly Process[]) {
    this.#logs = servers.map(({ role, number, label }) => {
      return new ServerLog(join(folder, "logs", `${role}-${number}.log`), label);
    });
  }

  /** All entries up to now, by epoch. */
  entered(): readonly Entered[] {
    const fresh = this.#logs.flatMap((log) => log.next());
    if (fresh.length === 0) return this.#entered;
    this.#entered.push(...fresh);
    this.#entered.sort((a, b) => a.epoch.view - b.epoch.view || a.epoch.term - b.epoch.term);
    return this.#entered;
  }

  /** The highest epoch and who holds it, or held it last. */
  get latest(): Entered | undefined {
    return this.entered().at(-1);
  }
}

/** A log that grows. */
class ServerLog {
  readonly #path: string;
  readonly #label: string;
  #at = 0;
  /** Of a line whose end was not there yet. */
  #begun = "";

  constructor(path: string, label: string) {
    this.#path = path;
    this.#label = label;
  }

  next(): Entered[] {
    const lines = `${this.#begun}${this.#read()}`.split("\n");
    this.#begun = lines.pop() ?? "";
    return lines.flatMap((line) => {
      const [, time = "", view, term] = pattern.exec(line) ?? [];
      if (time === "") return [];
      const epoch = { view: Number(view), term: Number(term) };
      return { party: this.#label, epoch, wallMs: Date.parse(time) };
    });
  }

  #read(): string {
    const file = openSync(this.#path, "r");
    try {
      const chunk = Buffer.alloc(chunkBytes);
      let text = "";
      for (;;) {
        const bytes = readSync(file, chunk, 0, chunkBytes, this.#at);
        if (bytes === 0) return text;
        this.#at += bytes;
        // What is looked for is ASCII: a character cut in two elsewhere does no harm.
        text += chunk.toString("latin1", 0, bytes);
      }
    } finally {
      closeSync(file);
    }
  }
}
