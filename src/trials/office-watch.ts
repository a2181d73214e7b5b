import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import type { Process } from "../cluster/supervisor.ts";
import type { Epoch } from "../protocol/epoch.ts";

/** An entry into office, as the server that entered it wrote it down. */
export interface Entered {
  /** The process, by its label. */
  readonly party: string;
  readonly epoch: Epoch;
  readonly wallMs: number;
}

const chunkBytes = 64 * 1024;
const entry = /"time":"([^"]+)".*"msg":"Coordinator, epoch (\d+)\.(\d+)"/;
/** The office was given up, or the process that held it is no more. */
const exit = /"msg":"(?:No longer coordinator|Started)/;

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

  /** Who is in office; nobody while an election goes on. */
  get coordinator(): string | undefined {
    const latest = this.entered().at(-1);
    const log = this.#logs.find(({ label }) => label === latest?.party);
    return log?.isInOffice ? log.label : undefined;
  }
}

/** A log that grows. */
class ServerLog {
  readonly label: string;
  /** Whether the last that it says of the office is that it was entered. */
  isInOffice = false;
  readonly #path: string;
  #at = 0;
  /** Of a line whose end was not there yet. */
  #begun = "";

  constructor(path: string, label: string) {
    this.#path = path;
    this.label = label;
  }

  next(): Entered[] {
    const lines = `${this.#begun}${this.#read()}`.split("\n");
    this.#begun = lines.pop() ?? "";
    return lines.flatMap((line) => {
      const [, time = "", view, term] = entry.exec(line) ?? [];
      if (time !== "") this.isInOffice = true;
      else if (exit.test(line)) this.isInOffice = false;
      if (time === "") return [];
      const epoch = { view: Number(view), term: Number(term) };
      return { party: this.label, epoch, wallMs: Date.parse(time) };
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
