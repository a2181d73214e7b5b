import { describe, expect, test } from "vitest";
import { digest } from "../../src/platform/digest.ts";
import type { Ballot } from "../../src/protocol/epoch.ts";
import type { EventLine } from "../../src/protocol/event.ts";
import type { Vector } from "../../src/protocol/vector.ts";
import type { ServerCore } from "../../src/server/core/step.ts";
import { storeOf } from "../../src/server/real-surroundings.ts";
import type { ReplicaStore } from "../../src/server/surroundings.ts";
import { checkpointText } from "../support/core-cluster.ts";
import { EventMaker, serverName } from "../support/event-lines.ts";
import { OpenDisk } from "../support/open-disk.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { VirtualProcess } from "../support/virtual-process.ts";
import { VirtualServer } from "../support/virtual-server.ts";
import { VirtualStore } from "../support/virtual-store.ts";
import { VirtualTime } from "../support/virtual-time.ts";

const [a, b] = [serverName(1), serverName(2)];
const ballot: Ballot = { epoch: { view: 3, term: 7 }, candidate: b };

/** A process with a replica and its store. */
interface Process extends AsyncDisposable {
  readonly core: ServerCore;
  readonly store: ReplicaStore;
  /** Waits until the store has called back. */
  done(ask: (onDone: () => void) => void): Promise<void>;
  /** Waits until everything that was put is durable. */
  settled(): Promise<void>;
  read(since: Vector, upTo: Vector): Promise<{ lines: string[]; more: boolean } | undefined>;
  /** Ends the process without a clean stop, and starts another. */
  kill(): Promise<void>;
  /**
   * Stops cleanly, which saves the state and cuts the log as far as allowed, and starts another
   * process.
   */
  restart(): Promise<void>;
}

/** A process whose store is the shipped one, in a folder. */
class FileProcess implements Process {
  readonly #folder: TemporaryFolder;
  #open: OpenDisk;

  private constructor(folder: TemporaryFolder, open: OpenDisk) {
    this.#folder = folder;
    this.#open = open;
  }

  static async begin(): Promise<FileProcess> {
    const folder = await temporaryFolder();
    return new FileProcess(folder, await FileProcess.#at(folder));
  }

  /** The limit is so high that no checkpoint comes between a test's steps. */
  static #at({ path }: TemporaryFolder): Promise<OpenDisk> {
    return OpenDisk.at(path, { checkpointBytes: Number.MAX_SAFE_INTEGER });
  }

  get core(): ServerCore {
    return this.#open.core;
  }

  get store(): ReplicaStore {
    const { disk, core } = this.#open;
    return storeOf({ disk, folder: this.#folder.path, newCore: () => core });
  }

  done(ask: (onDone: () => void) => void): Promise<void> {
    return new Promise(ask);
  }

  settled(): Promise<void> {
    return this.#open.settled();
  }

  read(since: Vector, upTo: Vector) {
    return this.#open.disk.read(since, upTo);
  }

  async kill(): Promise<void> {
    this.#open = await FileProcess.#at(this.#folder);
  }

  async restart(): Promise<void> {
    await this.done((onDone) => this.store.close(this.core, onDone));
    await this.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#open.close();
    await this.#folder[Symbol.asyncDispose]();
  }
}

/** A process whose store is the simulation's. */
class VirtualStoreProcess implements Process {
  readonly #time = new VirtualTime();
  readonly #server = new VirtualServer(1, { digest });
  store = this.#begin();

  #begin(): VirtualStore {
    const server = this.#server;
    server.begin();
    const process = new VirtualProcess(server, this.#time);
    const store = new VirtualStore(process, (count) => server.core.ledger.flushed(count));
    store.load((core) => core.ledger.recovered());
    return store;
  }

  get core(): ServerCore {
    return this.#server.core;
  }

  async done(ask: (onDone: () => void) => void): Promise<void> {
    let isDone = false;
    ask(() => {
      isDone = true;
    });
    this.#time.runUntil(() => isDone, "the store calls back");
  }

  async settled(): Promise<void> {
    this.#time.runUntil(() => this.core.ledger.allDurable, "all is on disk");
  }

  async read(since: Vector, upTo: Vector) {
    return this.#server.disk.read(since, upTo);
  }

  async kill(): Promise<void> {
    this.#server.end();
    this.#server.disk.die();
    this.store = this.#begin();
  }

  async restart(): Promise<void> {
    this.store.close(this.core, () => {});
    this.store.save(this.core);
    this.#time.runUntil(() => !this.store.isSaving, "the state is saved");
    await this.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

const stores: readonly [string, () => Promise<Process>][] = [
  ["a folder", () => FileProcess.begin()],
  ["the simulation's disk", async () => new VirtualStoreProcess()],
];

/** Receives lines from a peer and appends them to the store. */
function put({ core, store }: Process, lines: readonly EventLine[]): void {
  for (const { line } of lines) core.ledger.receive(line);
  store.append(core.ledger.takeAppended());
}

function textsOf(lines: readonly EventLine[]): string[] {
  return lines.map(({ line }) => line);
}

describe.each(stores)("a store: %s", (_, begin) => {
  test("[R2] after a store's process died, the store reads in order all lines that it had reported durable", async () => {
    await using process = await begin();
    const maker = new EventMaker();
    const lines = [...maker.many(a, 3), ...maker.many(b, 2), ...maker.many(a, 1)];
    put(process, lines);
    await process.settled();
    const text = checkpointText(process);
    await process.kill();
    expect(process.core.ledger.held).toEqual({ [a]: 4, [b]: 2 });
    expect(process.core.ledger.durable).toEqual({ [a]: 4, [b]: 2 });
    expect(checkpointText(process)).toBe(text);
    const read = await process.read({}, { [a]: 4, [b]: 2 });
    expect(read).toEqual({ lines: textsOf(lines), more: false });
  });

  test("[R1] after a store's process died and restarted, the store accepts a server's next lines", async () => {
    await using process = await begin();
    const maker = new EventMaker();
    put(process, maker.many(a, 2));
    await process.settled();
    await process.kill();
    put(process, maker.many(a, 2));
    await process.settled();
    await process.kill();
    expect(process.core.ledger.durable).toEqual({ [a]: 4 });
  });

  test("[R11] a store that is closed has all appended lines at the next start, even those not yet reported durable", async () => {
    await using process = await begin();
    put(process, new EventMaker().many(a, 5));
    await process.restart();
    expect(process.core.ledger.held).toEqual({ [a]: 5 });
  });

  test("[J1] a store's saved state and the lines after it give the same state as all lines", async () => {
    await using process = await begin();
    const maker = new EventMaker();
    put(process, maker.many(a, 3));
    await process.restart();
    put(process, [...maker.many(a, 2), ...maker.many(b, 1)]);
    await process.settled();
    const text = checkpointText(process);
    await process.kill();
    expect(checkpointText(process)).toBe(text);
    await process.restart();
    expect(checkpointText(process)).toBe(text);
  });

  test("[R8] a store that is asked for the lines above one vector and up to another returns exactly these lines", async () => {
    await using process = await begin();
    const maker = new EventMaker();
    const lines = [...maker.many(a, 4), ...maker.many(b, 2)];
    put(process, lines);
    await process.settled();
    const read = await process.read({ [a]: 2 }, { [a]: 3, [b]: 1 });
    expect(read?.lines).toEqual([lines[2], lines[4]].map((line) => line?.line));
    expect(await process.read({ [a]: 4, [b]: 2 }, { [a]: 4, [b]: 2 })).toEqual({
      lines: [],
      more: false,
    });
  });

  test("[E2] a store reads its saved view and its saved promise after the process died", async () => {
    await using process = await begin();
    const { store } = process;
    await process.done((onDone) => store.saveView({ number: 3, members: [a, b] }, onDone));
    await process.done((onDone) => store.savePromise(ballot, onDone));
    await process.kill();
    expect(process.core.replication.view).toEqual({ number: 3, members: [a, b] });
    expect(process.core.promised).toEqual(ballot);
  });
});
