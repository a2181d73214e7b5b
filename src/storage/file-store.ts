import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { now } from "../platform/clock.ts";
import { digest } from "../platform/digest.ts";
import { syncFolder } from "../platform/folder.ts";
import type { Log } from "../platform/log.ts";
import { watchPauses } from "../platform/pauses.ts";
import { Problem, unwritable } from "../platform/problem.ts";
import type { Ballot } from "../protocol/epoch.ts";
import type { EventLine } from "../protocol/event.ts";
import type { LamportClock } from "../protocol/lamport-clock.ts";
import { durations, limits } from "../protocol/limits.ts";
import { furthest, headsOf, vectorOf } from "../protocol/mark.ts";
import type { SnapshotRequest } from "../protocol/peer-messages.ts";
import { covers, type Vector } from "../protocol/vector.ts";
import type { View } from "../protocol/view.ts";
import {
  bytesOfCheckpoint,
  type Checkpoint,
  NoSpaceError,
  openCheckpoint,
  readMark,
  writeCheckpoint,
} from "./checkpoint.ts";
import { type Damage, describeDamage } from "./damage.ts";
import { dropDamaged, keepDamaged, putJournalAside, wholeLines } from "./damaged-files.ts";
import { dropSnapshot, removeSnapshotRests, snapshotFolder } from "./fetch-snapshot.ts";
import {
  missPromises,
  noPromises,
  type Promises,
  readPromises,
  refuseFormerAccounts,
  writePromises,
} from "./identity.ts";
import { Journal, type JournalOptions } from "./journal.ts";
import type { Found } from "./journal-recovery.ts";
import { SnapshotSource } from "./snapshot-source.ts";
import type { Page, Store, Stored } from "./store.ts";

interface DiskOptions extends Pick<JournalOptions, "onFlushed" | "onFailed"> {
  readonly folder: string;
  /** The fewest bytes of new journal lines after which the state is saved. */
  readonly checkpointBytes: number;
  readonly clock: LamportClock;
  readonly log: Log;
}

/**
 * The files of one replica: promises, saved state, journal. A start reads the saved state, then a
 * state fetched from a peer if there is one, then the later events in the journal. If synced data
 * is damaged, the store starts again with the undamaged data, and the server stays silent until its
 * peers have returned the rest (J5).
 */
export class FileStore implements Store {
  readonly #options: DiskOptions;
  readonly #snapshots: SnapshotSource;
  #promises!: Promises;
  #hasPromises = false;
  #journal!: Journal;
  /**
   * The checksum of the saved state that peers can fetch; undefined if the state is of an older
   * version, or lacks events that the journal lacks too.
   */
  #saved: string | undefined;
  /**
   * Whether the folder still holds a state that was fetched from a peer, which a start needs until
   * this server has saved a state of its own with the same events.
   */
  #isForeign = false;
  readonly #aborting = new AbortController();
  /**
   * Resolves when the last write of promises is done. Each write waits for the one before, so that
   * an older view never replaces a newer one.
   */
  #writing = Promise.resolve();
  #checkpointing: Promise<void> | undefined;
  /** Bytes of journal at which the next save of the state begins. */
  #dueBytes = 0;
  /**
   * False during loading, and once closing has begun. While it is false, only `close` may begin a
   * checkpoint.
   */
  #isOpen = false;

  constructor(options: DiskOptions) {
    this.#options = options;
    this.#snapshots = new SnapshotSource(options.folder);
  }

  async readView(): Promise<View> {
    await syncNames(this.#options.folder);
    const promises = await readPromises(this.#options.folder);
    this.#hasPromises = promises !== undefined;
    this.#promises = promises ?? noPromises;
    return this.#promises.view;
  }

  /**
   * Waits for a running checkpoint. Refuses a second fetched state, because it would replace the
   * first one, whose events are in no other file.
   */
  async readyForState(): Promise<void> {
    await this.#checkpointing;
    if (this.#isForeign) throw new Error("the state that came before is not saved yet");
  }

  async reload<Replica extends Stored>(newReplica: () => Replica): Promise<Replica> {
    await this.#closeJournal();
    return this.load(newReplica);
  }

  async load<Replica extends Stored>(newReplica: () => Replica): Promise<Replica> {
    const { folder, log, clock } = this.#options;
    const started = now().steadyMs;
    await this.readView();
    const replica = newReplica();
    replica.recoverPromises(this.#promises.view, this.#promises.ballot);
    removeSnapshotRests(folder);
    const own = openCheckpoint(folder);
    const fetched = openFetched(folder);
    const damages: Damage[] = [...own.damages, ...fetched.damages];
    if (own.checkpoint !== undefined) recoverState(replica, own.checkpoint, folder);
    if (fetched.checkpoint !== undefined) {
      try {
        recoverState(replica, fetched.checkpoint, join(folder, snapshotFolder));
      } catch (error) {
        // The replica has loaded a part of the damaged state, so a new replica is loaded.
        log.error(`It is dropped, since a peer has it: ${(error as Error).message}`);
        await dropSnapshot(folder);
        return this.load(newReplica);
      }
    }
    const held = headsOf(replica.mark);
    const { journal: least, isFormer } = this.#promises;
    const options = { ...this.#journalOptions(), least, afterDamage: damages.length > 0 };
    const { journal, found } = await Journal.open(options, held, (line) =>
      replica.recoverEvent(line),
    );
    damages.push(...found.damages);
    clock.receive(found.clock);
    if (!this.#hasPromises && Object.keys(replica.mark.vector).length > 0) missPromises(folder);
    if (isFormer && replica.hasFormerAccounts) refuseFormerAccounts(folder);
    if (damages.length > 0) {
      await this.#beginAnew(replica, damages, found);
      return this.load(newReplica);
    }
    this.#journal = journal;
    if (isFormer) await this.#save({ isFormer: false });
    await this.#noteJournal();
    this.#isForeign = fetched.checkpoint !== undefined;
    // Peers can't use a state of an older version, so a state of this version is saved at once.
    const isOlder = own.checkpoint?.hasAllFiles === false;
    this.#saved = this.#isForeign || isOlder ? undefined : own.checkpoint?.checksum;
    this.#dueBytes = this.#isForeign || isOlder ? 0 : this.#bytesUntilSave();
    this.#isOpen = true;
    replica.recoverMissing(this.#promises.owed, this.isDamaged ? wholeLines(folder) : []);
    const ms = Math.round(now().steadyMs - started);
    log.info({ events: found.events, ms }, "Read the disk");
    this.#report(found);
    return replica;
  }

  #journalOptions() {
    const { folder, checkpointBytes, clock, onFlushed, onFailed } = this.#options;
    const path = join(folder, "journal");
    const keptBytes = limits.journalKeptCheckpoints * checkpointBytes;
    return { folder: path, digest, keptBytes, clock: () => clock.value, onFlushed, onFailed };
  }

  #report({ cutBytes, givenUp }: Found): void {
    const { log } = this.#options;
    if (cutBytes > 0) log.warn({ cutBytes }, "Cut off a tail that is not known to be synced");
    for (const damage of givenUp) {
      log.error(`${describeDamage(damage)}: given up, the saved state stands for it`);
    }
  }

  get isDamaged(): boolean {
    return Object.keys(this.#promises.owed).length > 0;
  }

  isMissing(lines: readonly EventLine[]): boolean {
    const { owed } = this.#promises;
    return lines.some(({ event: { server, seq } }) => seq <= (owed[server]?.seq ?? 0));
  }

  get way(): string {
    return (
      `${this.#promises.damages.join("; ")}, and no peer has returned what was lost: move ` +
      `${this.#options.folder} away and start again; a new member fetches everything from the ` +
      "others. Then take the old name out: tertulia servers remove NAME."
    );
  }

  append(lines: readonly EventLine[]): void {
    this.#journal.append(lines);
  }

  read(since: Vector, upTo: Vector): ReturnType<Journal["read"]> {
    return this.#journal.read(since, upTo);
  }

  page(request: SnapshotRequest): Promise<Page | undefined> {
    return this.#snapshots.page(request, this.#saved);
  }

  saveView(view: View): Promise<void> {
    return this.#save({ view });
  }

  savePromise(ballot: Ballot): Promise<void> {
    return this.#save({ ballot });
  }

  async repaired(): Promise<void> {
    await this.#save({ owed: {}, damages: [] });
    await dropDamaged(this.#options.folder);
  }

  #save(change: Partial<Promises>): Promise<void> {
    const saved = this.#writing.then(async () => {
      this.#promises = { ...this.#promises, ...change };
      await writePromises(this.#options.folder, this.#promises);
    });
    this.#writing = saved.catch(() => {});
    return saved;
  }

  /**
   * Saves the number of the first journal file, so that a later start notices if the journal is
   * lost.
   */
  async #noteJournal(): Promise<void> {
    const journal = this.#journal.firstNumber;
    if (journal !== this.#promises.journal) await this.#save({ journal });
  }

  checkpointIfDue(replica: Stored): void {
    const isDue = this.#journal.toReplay.bytes >= this.#dueBytes;
    if (this.#isOpen && isDue) void this.#checkpoint(replica);
  }

  /**
   * Saves the present state, unless a save is already running. Requests are served during the save.
   */
  #checkpoint(replica: Stored): Promise<void> {
    this.#checkpointing ??= this.#saveState(replica).finally(() => {
      this.#checkpointing = undefined;
    });
    return this.#checkpointing;
  }

  async #saveState(replica: Stored): Promise<void> {
    const { folder, log, onFailed } = this.#options;
    const { signal } = this.#aborting;
    const started = now().steadyMs;
    const longestPause = watchPauses();
    // A peer's state that arrives after this line is not part of the state that is saved.
    const isForeign = this.#isForeign;
    // The state is copied and a new journal file is requested in the same turn of the event loop,
    // so the new file has all later events.
    const state = replica.checkpoint();
    try {
      await this.#journal.cut();
      this.#saved = await writeCheckpoint(folder, state, signal);
      if (isForeign) await dropSnapshot(folder);
      this.#isForeign = false;
      await this.#noteJournal();
      await this.#journal.release();
      this.#dueBytes = this.#bytesUntilSave();
    } catch (error) {
      longestPause();
      if (error instanceof NoSpaceError) return this.#postpone(error);
      if (!signal.aborted) onFailed(unwritable(folder, error));
      return log.info("No time to save the state: the journal stands for the rest");
    }
    const ms = Math.round(now().steadyMs - started);
    log.info({ ms, longestPauseMs: longestPause() }, "Saved the state");
  }

  /**
   * A save writes the whole state. So the journal must grow by as much as the state, or a server
   * with a large state would hardly do anything but save.
   */
  #bytesUntilSave(): number {
    const { folder, checkpointBytes } = this.#options;
    return Math.max(checkpointBytes, bytesOfCheckpoint(folder));
  }

  /**
   * Postpones a save that failed because the disk is full. Until the next save, the journal keeps
   * the events.
   */
  #postpone({ message }: NoSpaceError): void {
    const { folder, log } = this.#options;
    this.#dueBytes = this.#journal.toReplay.bytes + limits.checkpointRetryBytes;
    log.error(
      `The disk is full: the state is not saved to ${folder} (${message}). Free some space.`,
    );
  }

  async close(replica: Stored | undefined): Promise<void> {
    this.#isOpen = false;
    const timer = setTimeout(() => this.#aborting.abort(), durations.lastCheckpointMs);
    await this.#checkpointing;
    const isNews = this.#journal.toReplay.events > 0 || this.#saved === undefined;
    if (replica !== undefined && isNews && !this.#aborting.signal.aborted)
      await this.#checkpoint(replica);
    clearTimeout(timer);
    await this.#closeJournal();
    this.#snapshots.close();
  }

  async #closeJournal(): Promise<void> {
    this.#isOpen = false;
    await this.#checkpointing;
    await this.#writing;
    await this.#journal.close();
  }

  /**
   * Records the missing events as `owed`, then saves the undamaged data as a state. Moves the
   * damaged journal away only after that, so that the next start repeats the repair if a crash
   * interrupts it.
   */
  async #beginAnew(replica: Stored, damages: readonly Damage[], found: Found): Promise<void> {
    const { folder, log } = this.#options;
    const places = damages.map(describeDamage);
    for (const place of places) log.error(place);
    const known = furthest(found.known, this.#promises.owed);
    const mark = readMark(folder);
    const owed = mark === undefined ? known : furthest(known, headsOf(mark));
    const isTold = !found.isLossUnknown && Object.keys(owed).length > 0;
    const isWhole = isTold && covers(replica.mark.vector, vectorOf(owed));
    const isAlone = this.#promises.view.members.length < 2;
    if (!isTold || (isAlone && !isWhole)) {
      const why = isTold ? "there is no other member" : "it can't be told what was lost";
      throw new Problem(
        `${places[0]}, and ${why}: restore ${folder} from a backup; or move it away and start ` +
          "again, and a new member fetches everything from the others.",
      );
    }
    const wasDamaged = this.isDamaged;
    const named = [...new Set([...this.#promises.damages, ...places])];
    await this.#save({ owed, damages: named, journal: undefined });
    keepDamaged(folder, wasDamaged);
    await writeCheckpoint(folder, replica.checkpoint());
    putJournalAside(folder);
    await dropSnapshot(folder);
    await syncFolder(folder);
    log.warn("Begins anew from what is whole; mute until the peers have returned the rest");
  }
}

function openFetched(folder: string): ReturnType<typeof openCheckpoint> {
  const path = join(folder, snapshotFolder);
  return existsSync(path) ? openCheckpoint(path) : { checkpoint: undefined, damages: [] };
}

/**
 * Syncs all folders, because an earlier process may have created or renamed a file and died before
 * it synced the folder (R2).
 */
async function syncNames(folder: string): Promise<void> {
  const fetched = join(folder, snapshotFolder);
  for (const path of [dirname(resolve(folder)), folder, join(folder, "journal"), fetched]) {
    if (existsSync(path)) await syncFolder(path);
  }
}

function recoverState(replica: Stored, { rows, entries, mark }: Checkpoint, folder: string): void {
  try {
    replica.recoverState({ rows, entries }, mark);
  } catch (error) {
    throw new Problem(
      `The saved state in ${folder} is not one of this version (${(error as Error).message}).`,
    );
  }
}
