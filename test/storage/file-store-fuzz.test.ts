import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { digest } from "../../src/platform/digest.ts";
import { Problem } from "../../src/platform/problem.ts";
import { seededRandom } from "../../src/platform/random.ts";
import type { EventLine } from "../../src/protocol/event.ts";
import { LamportClock } from "../../src/protocol/lamport-clock.ts";
import { covers, type MutableVector, type Vector } from "../../src/protocol/vector.ts";
import { ServerCore } from "../../src/server/core/step.ts";
import { checkpointFiles } from "../../src/storage/checkpoint.ts";
import { fetchSnapshot, type Place } from "../../src/storage/fetch-snapshot.ts";
import { verifyFolder } from "../../src/storage/verify.ts";
import { EventMaker, serverName } from "../support/event-lines.ts";
import { flipped } from "../support/journal-files.ts";
import { makeMember, OpenDisk } from "../support/open-disk.ts";
import { memoryFolder } from "../support/temporary-folder.ts";

const servers = [1, 2, 3].map(serverName);
const [own] = servers as [ReturnType<typeof serverName>];
// The sizes are small, so that saving, compaction and dropping happen within some dozens of events.
const options = {
  checkpointBytes: 6_000,
  retention: { channelMessages: 15, userMessages: 15, userLogins: 3 },
};
const steps = 40;

/** Lets other pending work of the event loop run. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The whole text of a state's files. */
function textOf(core: ServerCore): string {
  const { mark, files, rows } = core.checkpoint();
  const lines = files.flatMap((file) => [...file.lines]);
  return JSON.stringify(mark) + lines.join("") + [...rows].join("\n");
}

/**
 * A server's disk under random writes, kills and rot, and all events of its cluster. After each
 * start, the disk must hold everything that was synced, and its state must be the fold of the
 * events that it holds.
 */
class Fuzz {
  readonly #random: () => number;
  readonly #root: string;
  readonly #maker = new EventMaker();
  /** All events of each server, whether this disk has them or not. */
  readonly #world = new Map(servers.map((server) => [server, [] as EventLine[]]));
  #folders = 0;
  #folder: string;
  #open!: OpenDisk;

  constructor(seed: number, root: string) {
    this.#random = seededRandom(seed);
    this.#root = root;
    this.#folder = this.#newFolder();
  }

  async run(): Promise<void> {
    makeMember(this.#folder);
    this.#open = await OpenDisk.at(this.#folder, options);
    for (let step = 0; step < steps; step += 1) {
      await this.#step();
      expect(this.#open.failures).toEqual([]);
    }
    await this.#open.settled();
    await this.#open.close();
    expect(verifyFolder(this.#folder, digest).damages).toEqual([]);
  }

  #step(): Promise<void> | void {
    const kind = this.#random();
    if (kind < 0.45) return this.#put();
    if (kind < 0.58) return this.#othersWrite();
    if (kind < 0.7) return this.#fetch();
    if (kind < 0.76) return this.#stopAndStart();
    if (kind < 0.88) return this.#killAndStart();
    return this.#read();
  }

  #integer(least: number, most: number): number {
    return least + Math.floor(this.#random() * (most - least + 1));
  }

  #newFolder(): string {
    this.#folders += 1;
    return join(this.#root, String(this.#folders));
  }

  #eventsOf(server: string): EventLine[] {
    return this.#world.get(server as (typeof servers)[number]) as EventLine[];
  }

  #makeEvent(server: (typeof servers)[number]): void {
    this.#eventsOf(server).push(this.#maker.next(server, "m".repeat(this.#integer(1, 60))));
  }

  /** Appends up to a dozen events: the server's own, or the next ones of its peers. */
  async #put(): Promise<void> {
    for (let count = this.#integer(1, 12); count > 0; count -= 1) {
      const server = servers[this.#integer(0, 2)] ?? own;
      const next = this.#open.held[server] ?? 0;
      if (this.#eventsOf(server).length === next) this.#makeEvent(server);
      this.#open.put(this.#eventsOf(server).slice(next, next + 1));
    }
    if (this.#random() < 0.5) await this.#open.settled();
  }

  #othersWrite(): void {
    for (let count = this.#integer(0, 30); count > 0; count -= 1) {
      this.#makeEvent(servers[this.#integer(1, 2)] ?? own);
    }
  }

  /**
   * Fetches a peer's saved state, which has more of the peers' events. The server may die before it
   * loads that state.
   */
  async #fetch(): Promise<void> {
    await this.#open.settled();
    const theirs = await this.#peersState();
    try {
      await this.#open.disk.readyForState();
    } catch {
      return;
    }
    const ask = async ({ file, offset }: Place) => {
      const bytes = readFileSync(join(theirs, checkpointFiles[file] as string));
      if (this.#random() < 0.1) await turn();
      const page = bytes.subarray(offset, offset + 700);
      return { of: "a state", size: bytes.length, bytes: page, clock: 1 };
    };
    await fetchSnapshot(this.#folder, ask, new AbortController().signal);
    const { durable } = this.#open.core.ledger;
    if (this.#random() < 0.3) return;
    await this.#open.reload();
    this.#expectState(durable);
    if (this.#random() < 0.7) this.#open.disk.checkpointIfDue(this.#open.core);
  }

  async #peersState(): Promise<string> {
    const folder = this.#newFolder();
    makeMember(folder);
    const peer = await OpenDisk.at(folder, options);
    const { held, core } = this.#open;
    for (const server of servers) {
      const events = this.#eventsOf(server);
      const most = server === own ? (core.ledger.durable[own] ?? 0) : events.length;
      const least = server === own ? 0 : Math.min(most, held[server] ?? 0);
      peer.put(events.slice(0, this.#integer(least, most)));
    }
    // A server saves only a state with at least one event.
    if (Object.keys(peer.held).length === 0) peer.put(this.#eventsOf(own).slice(0, 1));
    await peer.settled();
    await peer.close();
    return folder;
  }

  async #stopAndStart(): Promise<void> {
    await this.#open.disk.close(this.#random() < 0.7 ? this.#open.core : undefined);
    const { held } = this.#open;
    await this.#start(held);
  }

  /** Kills the server at a random moment, sometimes with rot in one of its files. */
  async #killAndStart(): Promise<void> {
    for (let turns = this.#integer(0, 25); turns > 0; turns -= 1) await turn();
    const durable = { ...this.#open.core.ledger.durable };
    const killed = this.#open;
    const from = this.#folder;
    this.#folder = this.#newFolder();
    cpSync(from, this.#folder, { recursive: true });
    await killed.close();
    if (this.#random() < 0.4) return this.#startWithRot(durable);
    await this.#start(durable);
  }

  async #start(durable: Vector): Promise<void> {
    this.#open = await OpenDisk.at(this.#folder, options);
    expect(this.#open.errors).toEqual([]);
    this.#expectState(durable);
  }

  /**
   * Starts with rot in one file. Either the start fails with a message, or the server reports the
   * damage and gets the lost events back, or the rot destroyed no synced event.
   */
  async #startWithRot(durable: Vector): Promise<void> {
    const original = this.#newFolder();
    cpSync(this.#folder, original, { recursive: true });
    this.#rot();
    const { damages, tornBytes } = verifyFolder(this.#folder, digest);
    let open: OpenDisk;
    try {
      open = await OpenDisk.at(this.#folder, options);
    } catch (error) {
      expect(error).toBeInstanceOf(Problem);
      expect((error as Problem).message).toContain("is damaged");
      expect(damages).not.toEqual([]);
      this.#folder = original;
      return this.#start(durable);
    }
    this.#open = open;
    if (open.disk.isDamaged) {
      expect(damages).not.toEqual([]);
      await this.#giveBack(durable);
    }
    // Without a sync note after the last batch, rot in that batch counts as a torn tail.
    if (tornBytes > 0 && !covers(open.held, durable)) {
      await open.close();
      this.#folder = original;
      return this.#start(durable);
    }
    this.#expectState(durable);
  }

  /** Changes one bit of a file that a starting server checks. */
  #rot(): void {
    const names = readdirSync(this.#folder, { recursive: true }).map(String);
    const isChecked = (name: string) =>
      /\.jsonl?$/.test(name) && !/^promises|^damaged|\.tmp|\.done/.test(name);
    const checked = names.filter(isChecked).sort();
    const path = join(this.#folder, checked[this.#integer(0, checked.length - 1)] as string);
    const bytes = readFileSync(path);
    if (bytes.length === 0) return;
    writeFileSync(
      path,
      flipped(bytes, this.#integer(0, bytes.length - 1), 1 << this.#integer(0, 7)),
    );
  }

  /** Returns the lost events as peers would. Undamaged lines come from the damaged files. */
  async #giveBack(durable: Vector): Promise<void> {
    const open = this.#open;
    for (const server of servers) {
      const held = open.held[server] ?? 0;
      open.put(this.#eventsOf(server).slice(held, durable[server]));
    }
    open.core.ledger.takeSalvaged();
    open.put([]);
    await open.settled();
    expect(open.core.ledger.missesEvents).toBe(false);
    await open.disk.repaired();
  }

  #expectState(durable: Vector): void {
    const { held, core } = this.#open;
    expect(covers(held, durable), `${JSON.stringify(held)} of ${JSON.stringify(durable)}`).toBe(
      true,
    );
    const lines = servers.flatMap((server) => this.#eventsOf(server).slice(0, held[server] ?? 0));
    const { retention } = options;
    const clock = new LamportClock();
    const expected = new ServerCore({ name: own, clock, digest, address: "", retention });
    lines.sort((a, b) => a.event.clock - b.event.clock);
    for (const line of lines) expected.recoverEvent(line);
    expect(textOf(core)).toBe(textOf(expected));
  }

  /** Reads the pages for a peer, and expects every event that the peer lacks, in order. */
  async #read(): Promise<void> {
    await this.#open.settled();
    const upTo = { ...this.#open.core.ledger.durable };
    const since: MutableVector = {};
    for (const server of servers) since[server] = this.#integer(0, upTo[server] ?? 0);
    for (;;) {
      const page = await this.#open.disk.read(since, upTo);
      if (page === undefined) return;
      for (const line of page.lines) {
        const { server } = JSON.parse(line).event as EventLine["event"];
        expect(line).toBe(this.#eventsOf(server)[since[server] ?? 0]?.line);
        since[server] = (since[server] ?? 0) + 1;
      }
      if (page.more) continue;
      expect(covers(since, upTo)).toBe(true);
      return;
    }
  }
}

describe("a server's disk after random writes, kills and rot", () => {
  const seeds = Array.from({ length: 16 }, (_, at) => at + 1);

  test.each(seeds)(
    "[R1] [R2] [R4] [J1] [J2] [J5] after random writes, kills and rot, a server has all synced events and the right state: seed %i",
    async (seed) => {
      await using root = await memoryFolder();
      await new Fuzz(seed, root.path).run();
    },
  );
});
