import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digest } from "../../src/platform/digest.ts";
import type { Log } from "../../src/platform/log.ts";
import type { EventLine } from "../../src/protocol/event.ts";
import { LamportClock } from "../../src/protocol/lamport-clock.ts";
import { limits } from "../../src/protocol/limits.ts";
import type { Vector } from "../../src/protocol/vector.ts";
import type { Retention } from "../../src/server/core/chat/chat-state.ts";
import { ServerCore } from "../../src/server/core/step.ts";
import { FileStore } from "../../src/storage/file-store.ts";
import { serverName } from "./event-lines.ts";
import { until } from "./until.ts";

interface Options {
  readonly checkpointBytes?: number;
  readonly retention?: Retention;
}

/** Makes the folder of a member as it is before its first event. */
export function makeMember(folder: string, members = [1, 2, 3].map(serverName)): void {
  mkdirSync(folder, { recursive: true });
  const view = { number: 3, members };
  writeFileSync(join(folder, "promises.json"), JSON.stringify({ view, epoch: null }));
}

/** The store of `serverName(1)` in a folder, with its core and everything that it logs. */
export class OpenDisk {
  readonly infos: string[] = [];
  readonly warnings: string[] = [];
  readonly errors: string[] = [];
  readonly failures: string[] = [];
  readonly clock = new LamportClock();
  readonly disk: FileStore;
  core!: ServerCore;
  readonly #coreOptions: { readonly retention?: Retention };

  private constructor(folder: string, options: Options) {
    const { checkpointBytes = limits.checkpointBytes, ...coreOptions } = options;
    const to = (list: string[]) => (fields: unknown, text?: string) =>
      list.push(text ?? String(fields));
    const log = { info: to(this.infos), warn: to(this.warnings), error: to(this.errors) };
    this.#coreOptions = coreOptions;
    this.disk = new FileStore({
      folder,
      checkpointBytes,
      clock: this.clock,
      log: log as unknown as Log,
      onFlushed: (count) => {
        this.core.ledger.flushed(count);
        this.disk.checkpointIfDue(this.core);
      },
      onFailed: (problem) => this.failures.push(problem),
    });
  }

  static async at(folder: string, options: Options = {}): Promise<OpenDisk> {
    const open = new OpenDisk(folder, options);
    open.core = await open.disk.load(() => open.#newCore());
    open.core.ledger.recovered();
    return open;
  }

  /** Loads the disk again, with a peer's state that was put in place. */
  async reload(): Promise<void> {
    this.core = await this.disk.reload(() => this.#newCore());
    this.core.ledger.recovered();
  }

  #newCore(): ServerCore {
    const name = serverName(1);
    return new ServerCore({ name, clock: this.clock, digest, address: "", ...this.#coreOptions });
  }

  get held(): Vector {
    return { ...this.core.ledger.held };
  }

  /** Receives events from a peer and appends them to the disk. */
  put(lines: readonly EventLine[]): void {
    for (const { line } of lines) this.core.ledger.receive(line);
    this.disk.append(this.core.ledger.takeAppended());
  }

  async settled(): Promise<void> {
    const isDone = () => this.core.ledger.allDurable || this.failures.length > 0;
    await until(isDone, "all is on disk");
  }

  close(): Promise<void> {
    return this.disk.close(this.core);
  }
}
