import { createHash } from "node:crypto";
import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { noEpoch } from "../../src/protocol/epoch.ts";
import { emptyChain } from "../../src/protocol/ids.ts";
import { durations, limits } from "../../src/protocol/limits.ts";
import type { SnapshotPage } from "../../src/protocol/peer-messages.ts";
import { checkpointFiles, readCheckpoint, writeCheckpoint } from "../../src/storage/checkpoint.ts";
import { fetchSnapshot, type Place } from "../../src/storage/fetch-snapshot.ts";
import { SnapshotSource } from "../../src/storage/snapshot-source.ts";
import { serverName } from "../support/event-lines.ts";
import { flipped, readFiles } from "../support/journal-files.ts";
import { memoryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";

const unsignalled = new AbortController().signal;

/** The SHA-256 of each file of a folder, by file name. */
function sumsOf(path: string): Record<string, string> {
  const sums = [...readFiles(path)].map(([name, bytes]) => {
    return [name, createHash("sha256").update(bytes).digest("hex")];
  });
  return Object.fromEntries(sums);
}

/** A peer with a saved state of several pages. */
class Peer {
  newest: string | undefined;
  readonly asked: Place[] = [];
  readonly source: SnapshotSource;
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.source = new SnapshotSource(folder);
  }

  async save(number: number): Promise<Record<string, string>> {
    const server = serverName(1);
    function* entries(): Generator<string> {
      const line = `"${"x".repeat(1_000)}${number}"`;
      yield "[\n";
      for (let count = 0; count < 2_500; count += 1) yield `${line},\n`;
      yield `${line}\n`;
      yield "]\n";
    }
    this.newest = await writeCheckpoint(this.#folder, {
      mark: {
        vector: { [server]: number },
        chains: { [server]: emptyChain },
        clock: number,
        times: {},
        epoch: noEpoch,
      },
      files: [
        { name: "users.json", lines: ["{}\n"] },
        { name: "channels.json", lines: ["[]\n"] },
        { name: "accounts.json", lines: ["[]\n"] },
        { name: "messages.json", lines: ["[]\n"] },
        { name: "publications.json", lines: entries() },
      ],
      rows: [],
    });
    return sumsOf(this.#folder);
  }

  /** Answers a request for a page; throws if the page is missing, as the peer link does. */
  async answer(place: Place): Promise<SnapshotPage> {
    this.asked.push(place);
    const page = await this.source.page({ service: "snapshot", clock: 0, ...place }, this.newest);
    if (page === undefined) throw new Error("unavailable");
    return { clock: 0, ...page };
  }
}

let folder: TemporaryFolder;
let theirs: TemporaryFolder;
let peer: Peer;

beforeEach(async () => {
  folder = await memoryFolder();
  theirs = await memoryFolder();
  peer = new Peer(theirs.path);
});

afterEach(async () => {
  peer.source.close();
  await folder[Symbol.asyncDispose]();
  await theirs[Symbol.asyncDispose]();
});

/**
 * Fetches the peer's state. `onPage` gets each page with its number, from 1, and may change the
 * page or throw.
 */
function fetch(
  onPage: (page: SnapshotPage, number: number) => Promise<SnapshotPage> | SnapshotPage,
  signal = unsignalled,
): Promise<void> {
  let number = 0;
  const ask = async (place: Place) => {
    number += 1;
    return onPage(await peer.answer(place), number);
  };
  return fetchSnapshot(folder.path, ask, signal);
}

const asItIs = (page: SnapshotPage) => page;

/** The folder in which Linux lists the open files of this process. */
const descriptors = "/proc/self/fd";

/** Counts the open files of this process below a folder. */
function openFiles(path: string): number {
  return readdirSync(descriptors).filter((fd) => {
    try {
      return readlinkSync(join(descriptors, fd)).startsWith(path);
    } catch {
      return false;
    }
  }).length;
}

function fetched(): Record<string, string> {
  return sumsOf(join(folder.path, "snapshot"));
}

function expectNothing(): void {
  expect(existsSync(join(folder.path, "snapshot"))).toBe(false);
}

describe("fetching a saved state", () => {
  test("[R8] a fetch of a peer's saved state copies all files exactly, page by page", async () => {
    const files = await peer.save(1);
    await fetch(asItIs);
    expect(fetched()).toEqual(files);
    expect(readdirSync(folder.path)).toEqual(["snapshot"]);
    // publications.json takes three pages, and each other file takes one page.
    expect(peer.asked).toHaveLength(checkpointFiles.length + 2);
    expect(peer.asked[0]?.of).toBe(undefined);
    expect(new Set(peer.asked.slice(1).map(({ of }) => of))).toEqual(new Set([peer.newest]));
  });

  test("[R8] a fetch copies one saved state completely, even if the peer saves newer states during the fetch", async () => {
    const files = await peer.save(1);
    await fetch(async (page, number) => {
      if (number % 2 === 0) await peer.save(number);
      return page;
    });
    expect(fetched()).toEqual(files);
    await fetch(asItIs);
    expect(fetched()).not.toEqual(files);
    expect(fetched()).toEqual(sumsOf(theirs.path));
  });

  test("[R8] a fetch fails if the peer no longer has the saved state, and the next fetch gets the new state", async () => {
    await peer.save(1);
    const begun = fetch(async (page, number) => {
      if (number !== 3) return page;
      // The peer restarts: it has no open files, and a new state.
      peer.source.close();
      await peer.save(2);
      return page;
    });
    await expect(begun).rejects.toThrow("unavailable");
    expectNothing();
    await fetch(asItIs);
    expect(readCheckpoint(join(folder.path, "snapshot")).checkpoint?.mark.clock).toBe(2);
  });

  test("[R8] if a peer gets one concurrent fetch too many, the peer ends only the oldest fetch", async () => {
    await peer.save(1);
    const [first] = [await peer.answer({ of: undefined, file: 0, offset: 0 })];
    const others: string[] = [];
    for (let number = 2; number <= limits.openSnapshots + 1; number += 1) {
      await peer.save(number);
      others.push((await peer.answer({ of: undefined, file: 0, offset: 0 })).of);
    }
    for (const of of others)
      expect(await peer.answer({ of, file: 3, offset: 0 })).toMatchObject({ of });
    await expect(peer.answer({ of: first.of, file: 3, offset: 0 })).rejects.toThrow("unavailable");
  });

  test("[R8] a fetch that fails in the middle leaves no files, and the next fetch gets the whole new state", async () => {
    await peer.save(1);
    const broken = fetch((page, number) => {
      if (number > 4) throw new Error("no answer");
      return page;
    });
    await expect(broken).rejects.toThrow("no answer");
    expectNothing();
    const files = await peer.save(2);
    await fetch(asItIs);
    expect(fetched()).toEqual(files);
  });

  test("[R8] a fetch asks again for a page whose answer was lost", async () => {
    const files = await peer.save(1);
    await fetch((page, number) => {
      if (number % 3 !== 0) throw new Error("no answer");
      return page;
    });
    expect(fetched()).toEqual(files);
  });

  test("[J5] a fetch notices any page that was changed in transit", async () => {
    await peer.save(1);
    for (let bad = 1; bad <= checkpointFiles.length + 2; bad += 1) {
      const fetching = fetch((page, number) => {
        if (number !== bad) return page;
        return { ...page, bytes: flipped(Buffer.from(page.bytes), page.bytes.length >> 1, 4) };
      });
      await expect(fetching, `page ${bad}`).rejects.toThrow(/\.json:\d+ is damaged/);
      expectNothing();
    }
  });

  test("[R8] a fetch fails if a page is empty or is of another saved state", async () => {
    await peer.save(1);
    const mixed = fetch((page, number) => (number === 2 ? { ...page, of: "another" } : page));
    await expect(mixed).rejects.toThrow("another state came");
    const empty = fetch((page, number) => {
      return number === 5 ? { ...page, bytes: new Uint8Array() } : page;
    });
    await expect(empty).rejects.toThrow("a page was empty");
    expectNothing();
  });

  test("[R11] a fetch ends when the server stops", async () => {
    await peer.save(1);
    const stopping = new AbortController();
    const fetching = fetch((page, number) => {
      if (number === 3) stopping.abort();
      return page;
    }, stopping.signal);
    await expect(fetching).rejects.toThrow(/abort/i);
    expect(peer.asked).toHaveLength(3);
    expectNothing();
  });

  test("[J1] a fetched state stays on disk if the next fetch fails", async () => {
    const files = await peer.save(1);
    await fetch(asItIs);
    await peer.save(2);
    const broken = fetch((page, number) => {
      if (number > 4) throw new Error("no answer");
      return page;
    });
    await expect(broken).rejects.toThrow();
    expect(fetched()).toEqual(files);
  });

  test.runIf(existsSync(descriptors))(
    "[R8] a peer closes the files of a saved state for which nobody has asked for some time",
    async () => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      try {
        await peer.save(1);
        const { of } = await peer.answer({ of: undefined, file: 0, offset: 0 });
        await peer.save(2);
        for (let page = 0; page < 3; page += 1) {
          vi.advanceTimersByTime(durations.snapshotIdleMs - 1);
          expect(await peer.answer({ of, file: 3, offset: 0 })).toMatchObject({ of });
        }
        expect(openFiles(theirs.path)).toBeGreaterThan(0);
        vi.advanceTimersByTime(durations.snapshotIdleMs);
        await until(() => openFiles(theirs.path) === 0, "all are closed");
        await expect(peer.answer({ of, file: 3, offset: 0 })).rejects.toThrow("unavailable");
      } finally {
        vi.useRealTimers();
      }
    },
  );

  test("a server refuses to send a page of a saved state or file that it does not have", async () => {
    await expect(fetch(asItIs)).rejects.toThrow("unavailable");
    await peer.save(1);
    await expect(peer.answer({ of: peer.newest, file: 9, offset: 0 })).rejects.toThrow();
    const { newest } = peer;
    const beyond = await peer.answer({ of: newest, file: 0, offset: 1_000_000 });
    expect(beyond.bytes).toHaveLength(0);
  });
});
