import { type Ballot, compareEpochs } from "../../src/protocol/epoch.ts";
import type { EventLine } from "../../src/protocol/event.ts";
import type { View } from "../../src/protocol/view.ts";
import type { ServerCore } from "../../src/server/core/step.ts";
import type { ReplicaStore } from "../../src/server/surroundings.ts";
import type { VirtualProcess } from "./virtual-process.ts";
import type { VirtualServer } from "./virtual-server.ts";

/** The work of a virtual server's process with its disk, and how long it takes. */
export class VirtualStore implements ReplicaStore {
  isSaving = false;
  readonly #onFlushed: (count: number) => void;
  readonly #process: VirtualProcess;
  readonly #server: VirtualServer;
  /** The last view and promise that were to be saved; the disk may not have them yet. */
  #view: View | undefined;
  #ballot: Ballot | undefined;
  /** The number of writes of views and promises under way. */
  #writing = 0;
  /**
   * False from the beginning of a reload to the next load. No state is saved in between, because no
   * core has all events.
   */
  #isOpen = true;
  /** Counts how often the journal was opened. */
  #opened = 0;

  constructor(process: VirtualProcess, onFlushed: (count: number) => void) {
    this.#process = process;
    this.#server = process.server;
    this.#onFlushed = onFlushed;
  }

  /** Loads the core, and calls `onLoaded` only when everything on disk is synced. */
  load(onLoaded: (core: ServerCore) => void): void {
    const server = this.#server;
    const { disk } = server;
    this.#opened += 1;
    const core = server.newCore();
    server.core = core;
    this.#isOpen = true;
    server.onLoad();
    const loaded = () => {
      disk.sync(disk.lines.length, server.clock.value);
      disk.isFlushing = false;
      this.#process.call(() => onLoaded(core));
    };
    disk.isFlushing = true;
    if (disk.unsynced === 0) loaded();
    else this.#process.later(server.syncMs, loaded);
  }

  /** Waits until nothing is being written, then loads the disk again. */
  reload(onLoaded: (core: ServerCore) => void): void {
    this.#isOpen = false;
    if (this.isSaving || this.#writing > 0) {
      return this.#process.later(1, () => this.reload(onLoaded));
    }
    const { disk, syncMs, clock } = this.#server;
    this.#opened += 1;
    disk.isFlushing = true;
    disk.write();
    this.#process.later(syncMs, () => {
      disk.sync(disk.lines.length, clock.value);
      this.load(onLoaded);
    });
  }

  append(lines: readonly EventLine[]): void {
    this.#server.disk.append(lines);
    this.#flush();
  }

  #flush(): void {
    const { disk, syncMs, clock } = this.#server;
    if (disk.isFlushing) return;
    const count = disk.write();
    if (count === 0) return;
    disk.isFlushing = true;
    const upTo = disk.lines.length;
    const opened = this.#opened;
    this.#process.later(syncMs, () => {
      if (this.#opened !== opened) return;
      disk.isFlushing = false;
      disk.sync(upTo, clock.value);
      this.#process.call(() => this.#onFlushed(count));
      this.#flush();
    });
  }

  saveView(view: View, onSaved: () => void): void {
    this.#view = view;
    this.#write(onSaved, ({ disk }) => {
      if (view.number > disk.view.number) disk.view = view;
    });
  }

  savePromise(ballot: Ballot, onSaved: () => void): void {
    this.#ballot = ballot;
    this.#write(onSaved, ({ disk }) => {
      if (compareEpochs(ballot.epoch, disk.ballot.epoch) > 0) disk.ballot = ballot;
    });
  }

  #write(onSaved: () => void, put: (server: VirtualServer) => void): void {
    this.#writing += 1;
    this.#process.later(this.#server.syncMs, () => {
      this.#writing -= 1;
      put(this.#server);
      this.#process.call(onSaved);
    });
  }

  /**
   * Completes the writes of views and promises that are under way, just before the process ends.
   */
  landWrites(): void {
    const { disk } = this.#server;
    disk.view = this.#view ?? disk.view;
    disk.ballot = this.#ballot ?? disk.ballot;
  }

  get isDamaged(): boolean {
    return this.#server.missesEvents;
  }

  get way(): string {
    return "no peer has returned what was lost";
  }

  isMissing(lines: readonly EventLine[]): boolean {
    const { missing } = this.#server.disk;
    return lines.some(({ event: { server, seq } }) => seq <= (missing[server]?.seq ?? 0));
  }

  repaired(): void {
    this.#server.disk.missing = {};
    this.#server.disk.salvaged = [];
  }

  /** Saves a state of the server's own soon after a peer's state or a repair. */
  checkpointIfDue(core: ServerCore): void {
    if (!this.#server.disk.isWhole) this.save(core);
  }

  /**
   * Saves the state as the file store does. The state is frozen now, and the journal is cut at the
   * same instant. Some lines are written each millisecond. The state replaces the old one only when
   * all lines before the cut are synced.
   */
  save(core: ServerCore, { linesAtOnce = 50, kept = 0 } = {}): void {
    if (this.isSaving || !this.#isOpen) return;
    this.isSaving = true;
    const { disk } = this.#server;
    const { files, rows, mark } = core.checkpoint();
    const cut = disk.appended;
    const written = new Map(files.map(({ name }) => [name as string, [] as string[]]));
    const savedRows: string[] = [];
    const writers = files.map(({ name, lines }) => {
      return { from: lines[Symbol.iterator](), to: written.get(name) as string[] };
    });
    writers.push({ from: rows[Symbol.iterator](), to: savedRows });
    const write = () => {
      for (let count = 0; count < linesAtOnce; count += 1) {
        const next = writers[0]?.from.next();
        if (next === undefined) return finish();
        if (next.done === true) writers.shift();
        else writers[0]?.to.push(next.value);
      }
      this.#process.later(1, write);
    };
    const finish = () => {
      if (disk.synced < cut) return this.#process.later(1, finish);
      this.#process.later(this.#server.syncMs, () => {
        this.isSaving = false;
        disk.save({ mark, files: written, rows: savedRows }, cut, kept);
      });
    };
    write();
  }

  close(_core: ServerCore | undefined, onClosed: () => void): void {
    this.#server.disk.close(this.#server.clock.value);
    onClosed();
  }
}
