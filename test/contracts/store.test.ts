import { describe, expect, test } from "vitest";
import { digest } from "../../src/platform/digest.ts";
import type { Ballot } from "../../src/protocol/epoch.ts";
import type { EventLine } from "../../src/protocol/event.ts";
import type { Vector } from "../../src/protocol/vector.ts";
import type { View } from "../../src/protocol/view.ts";
import type { ServerCore } from "../../src/server/core/step.ts";
import { checkpointText } from "../support/core-cluster.ts";
import { EventMaker, serverName } from "../support/event-lines.ts";
import { OpenDisk } from "../support/open-disk.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { VirtualServer } from "../support/virtual-server.ts";

const [a, b] = [serverName(1), serverName(2)];
const ballot: Ballot = { epoch: { view: 3, term: 7 }, candidate: b };

/** A replica on a store, as a process has it. */
interface Process extends AsyncDisposable {
  readonly core: ServerCore;
  /** Takes lines as they come from a peer. */
  put(lines: readonly EventLine[]): void;
  /** Until all that was put is safe. */
  settled(): Promise<void>;
  read(since: Vector, upTo: Vector): Promise<{ lines: string[]; more: boolean } | undefined>;
  saveView(view: View): Promise<void>;
  savePromise(of: Ballot): Promise<void>;
  /** The process is gone without a word, and another begins. */
  kill(): Promise<void>;
  /** A clean end, which saves the state and keeps as little of the log as it may; another begins. */
  restart(): Promise<void>;
}

/** The folder of the shipped server. */
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

  /** A state is due only at the end: no checkpoint comes between a test's steps. */
  static #at({ path }: TemporaryFolder): Promise<OpenDisk> {
    return OpenDisk.at(path, { checkpointBytes: Number.MAX_SAFE_INTEGER });
  }

  get core(): ServerCore {
    return this.#open.core;
  }

  put(lines: readonly EventLine[]): void {
    this.#open.put(lines);
  }

  settled(): Promise<void> {
    return this.#open.settled();
  }

  read(since: Vector, upTo: Vector) {
    return this.#open.disk.read(since, upTo);
  }

  saveView(view: View): Promise<void> {
    return this.#open.disk.saveView(view);
  }

  savePromise(of: Ballot): Promise<void> {
    return this.#open.disk.savePromise(of);
  }

  async kill(): Promise<void> {
    this.#open = await FileProcess.#at(this.#folder);
  }

  async restart(): Promise<void> {
    await this.#open.close();
    await this.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#open.close();
    await this.#folder[Symbol.asyncDispose]();
  }
}

/** The disk of the simulation. */
class VirtualProcess implements Process {
  readonly #server = new VirtualServer(1, { digest });
  #core = this.#begin();

  #begin(): ServerCore {
    const core = this.#server.newCore();
    core.ledger.recovered();
    return core;
  }

  get core(): ServerCore {
    return this.#core;
  }

  put(lines: readonly EventLine[]): void {
    for (const { line } of lines) this.#core.ledger.receive(line);
    this.#server.disk.append(this.#core.ledger.takeAppended());
  }

  async settled(): Promise<void> {
    const { disk } = this.#server;
    const count = disk.write();
    disk.sync(disk.lines.length, this.#core.clock.value);
    this.#core.ledger.flushed(count);
  }

  async read(since: Vector, upTo: Vector) {
    return this.#server.disk.read(since, upTo);
  }

  async saveView(view: View): Promise<void> {
    this.#server.disk.view = view;
  }

  async savePromise(of: Ballot): Promise<void> {
    this.#server.disk.ballot = of;
  }

  async kill(): Promise<void> {
    this.#server.disk.die();
    this.#core = this.#begin();
  }

  async restart(): Promise<void> {
    const { disk } = this.#server;
    disk.close(this.#core.clock.value);
    const { mark, files, rows } = this.#core.checkpoint();
    const written = new Map(files.map(({ name, lines }) => [name as string, [...lines]]));
    disk.save({ mark, files: written, rows: [...rows] }, disk.appended, 0);
    await this.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

const stores: readonly [string, () => Promise<Process>][] = [
  ["a folder", () => FileProcess.begin()],
  ["the simulation's disk", async () => new VirtualProcess()],
];

function textsOf(lines: readonly EventLine[]): string[] {
  return lines.map(({ line }) => line);
}

describe.each(stores)("a store: %s", (_, begin) => {
  test("[R2] what it has said to be safe is there after the process died, in its order", async () => {
    await using process = await begin();
    const maker = new EventMaker();
    const lines = [...maker.many(a, 3), ...maker.many(b, 2), ...maker.many(a, 1)];
    process.put(lines);
    await process.settled();
    const text = checkpointText(process);
    await process.kill();
    expect(process.core.ledger.held).toEqual({ [a]: 4, [b]: 2 });
    expect(process.core.ledger.durable).toEqual({ [a]: 4, [b]: 2 });
    expect(checkpointText(process)).toBe(text);
    const read = await process.read({}, { [a]: 4, [b]: 2 });
    expect(read).toEqual({ lines: textsOf(lines), more: false });
  });

  test("[R1] the next lines of each server follow on after a death", async () => {
    await using process = await begin();
    const maker = new EventMaker();
    process.put(maker.many(a, 2));
    await process.settled();
    await process.kill();
    process.put(maker.many(a, 2));
    await process.settled();
    await process.kill();
    expect(process.core.ledger.durable).toEqual({ [a]: 4 });
  });

  test("[R11] a clean end keeps all that was appended, safe or not", async () => {
    await using process = await begin();
    process.put(new EventMaker().many(a, 5));
    await process.restart();
    expect(process.core.ledger.held).toEqual({ [a]: 5 });
  });

  test("[J1] a saved state and the log behind it give what all events give", async () => {
    await using process = await begin();
    const maker = new EventMaker();
    process.put(maker.many(a, 3));
    await process.restart();
    process.put([...maker.many(a, 2), ...maker.many(b, 1)]);
    await process.settled();
    const text = checkpointText(process);
    await process.kill();
    expect(checkpointText(process)).toBe(text);
    await process.restart();
    expect(checkpointText(process)).toBe(text);
  });

  test("[R8] gives what a peer lacks, and no more than it was asked for", async () => {
    await using process = await begin();
    const maker = new EventMaker();
    const lines = [...maker.many(a, 4), ...maker.many(b, 2)];
    process.put(lines);
    await process.settled();
    const read = await process.read({ [a]: 2 }, { [a]: 3, [b]: 1 });
    expect(read?.lines).toEqual([lines[2], lines[4]].map((line) => line?.line));
    expect(await process.read({ [a]: 4, [b]: 2 }, { [a]: 4, [b]: 2 })).toEqual({
      lines: [],
      more: false,
    });
  });

  test("[E2] a view and a promise that were saved are there after the process died", async () => {
    await using process = await begin();
    await process.saveView({ number: 3, members: [a, b] });
    await process.savePromise(ballot);
    await process.kill();
    expect(process.core.replication.view).toEqual({ number: 3, members: [a, b] });
    expect(process.core.promised).toEqual(ballot);
  });
});
