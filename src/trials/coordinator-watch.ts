import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import type { Process } from "../cluster/supervisor.ts";
import type { Instant } from "../platform/clock.ts";
import { compareEpochs, type Epoch, parseEpoch } from "../protocol/epoch.ts";

import type { Term } from "./chaos/core/failovers.ts";

/** What a server's log says when the server becomes coordinator. */
export interface Entered {
  /** The label of the server's process. */
  readonly node: string;
  readonly epoch: Epoch;
  readonly wallMs: number;
}

const chunkBytes = 64 * 1024;

/**
 * Finds the coordinator of a cluster on this machine in its servers' logs (level info). So it also
 * finds a coordinator that is stopped or cut off, and can't answer.
 */
export class CoordinatorWatch {
  readonly #logs: readonly ServerLog[];
  readonly #entered: Entered[] = [];

  /** @param folder the cluster's data folder */
  constructor(folder: string, servers: readonly Process[]) {
    this.#logs = servers.map(({ role, number, label }) => {
      return new ServerLog(join(folder, "logs", `${role}-${number}.log`), label);
    });
  }

  /** Returns the beginning of each term so far, ordered by epoch. */
  entered(): readonly Entered[] {
    const fresh = this.#logs.flatMap((log) => log.next());
    if (fresh.length === 0) return this.#entered;
    this.#entered.push(...fresh);
    this.#entered.sort((a, b) => compareEpochs(a.epoch, b.epoch));
    return this.#entered;
  }

  /**
   * Returns all terms so far, ordered by epoch, with times in milliseconds since the trial began.
   */
  terms(began: Instant): Term[] {
    return this.entered().map(({ wallMs, ...term }) => {
      return { ...term, atMs: wallMs - began.wallMs };
    });
  }

  /** The coordinator's label; undefined during an election. */
  get coordinator(): string | undefined {
    const latest = this.entered().at(-1);
    const log = this.#logs.find(({ label }) => label === latest?.node);
    return log?.isCoordinator ? log.label : undefined;
  }
}

/**
 * Reads a log that grows, and that is copied to another file and emptied when it is too long
 * (`openLogFile`).
 */
class ServerLog {
  readonly label: string;
  /**
   * Whether the server's log says that the server became coordinator, and that it has neither
   * resigned nor restarted since.
   */
  isCoordinator = false;
  readonly #path: string;
  #at = 0;
  /** The beginning of a line whose rest has not been written yet. */
  #begun = "";

  constructor(path: string, label: string) {
    this.#path = path;
    this.label = label;
  }

  next(): Entered[] {
    const lines = `${this.#begun}${this.#read()}`.split("\n");
    this.#begun = lines.pop() ?? "";
    return lines.flatMap((line) => {
      const { event, epoch: said, time } = entryOf(line);
      if (event === "coordinator") this.isCoordinator = true;
      // The coordinator resigned, or its process was started again.
      if (event === "resigned" || event === "started") this.isCoordinator = false;
      const epoch = event === "coordinator" ? parseEpoch(said) : undefined;
      if (epoch === undefined) return [];
      return { node: this.label, epoch, wallMs: Date.parse(String(time)) };
    });
  }

  /** Returns the text written since the last call. */
  #read(): string {
    using file = new OpenFile(this.#path);
    if (file.bytes >= this.#at) return this.#rest(file);
    using before = new OpenFile(`${this.#path}.1`);
    const last = this.#rest(before);
    this.#at = 0;
    return last + this.#rest(file);
  }

  #rest(file: OpenFile): string {
    const chunks: Buffer[] = [];
    for (let chunk = file.read(this.#at); chunk.length > 0; chunk = file.read(this.#at)) {
      this.#at += chunk.length;
      chunks.push(chunk);
    }
    // Only ASCII fields are used, so a character split between two chunks does no harm.
    return Buffer.concat(chunks).toString("latin1");
  }
}

class OpenFile implements Disposable {
  readonly #fd: number;

  constructor(path: string) {
    this.#fd = openSync(path, "r");
  }

  get bytes(): number {
    return fstatSync(this.#fd).size;
  }

  /** Returns some bytes from a position on; an empty buffer at the end of the file. */
  read(at: number): Buffer {
    const chunk = Buffer.alloc(chunkBytes);
    return chunk.subarray(0, readSync(this.#fd, chunk, 0, chunkBytes, at));
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

/**
 * Returns the fields of a log line. A line that is not JSON, such as the error message with which a
 * process exits, has no fields.
 */
function entryOf(line: string): Readonly<Record<string, unknown>> {
  try {
    return (JSON.parse(line) ?? {}) as Record<string, unknown>;
  } catch {
    return {};
  }
}
