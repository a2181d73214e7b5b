import { close, openSync, read, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { durations, limits } from "../protocol/limits.ts";
import type { SnapshotRequest } from "../protocol/peer-messages.ts";
import { checkpointFiles } from "./checkpoint.ts";
import type { Page } from "./store.ts";

const readAt = promisify(read);

interface OpenState {
  readonly of: string;
  readonly files: readonly { readonly fd: number; readonly bytes: number }[];
  /** The timer that closes the state after `snapshotIdleMs` without a request for a page. */
  readonly idle: NodeJS.Timeout;
}

/**
 * Sends peers the saved state in pages. A peer gets all pages from the same state. The state's
 * files stay open when a newer state replaces them, so they can still be read.
 */
export class SnapshotSource {
  readonly #folder: string;
  readonly #open: OpenState[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Returns a page of a state.
   * @param newest the checksum of the state on disk; undefined if the disk has no state that may be
   * sent to peers
   * @returns undefined if the requested state is not available
   */
  async page(request: SnapshotRequest, newest: string | undefined): Promise<Page | undefined> {
    const state = this.#find(request.of ?? newest, newest);
    const file = state?.files[request.file];
    if (state === undefined || file === undefined) return undefined;
    state.idle.refresh();
    const rest = Math.max(0, file.bytes - request.offset);
    const bytes = Buffer.allocUnsafe(Math.min(limits.pageBytes, rest));
    let done = 0;
    while (done < bytes.length) {
      const position = request.offset + done;
      const { bytesRead } = await readAt(file.fd, bytes, done, bytes.length - done, position);
      if (bytesRead === 0) return undefined;
      done += bytesRead;
    }
    return { of: state.of, size: file.bytes, bytes };
  }

  #find(of: string | undefined, newest: string | undefined): OpenState | undefined {
    if (of === undefined) return undefined;
    const known = this.#open.find((state) => state.of === of);
    if (known !== undefined || of !== newest) return known;
    while (this.#open.length >= limits.openSnapshots) this.#close(this.#open[0]);
    const files = checkpointFiles.map((name) => {
      const path = join(this.#folder, name);
      return { fd: openSync(path, "r"), bytes: statSync(path).size };
    });
    const idle = setTimeout(() => this.#close(state), durations.snapshotIdleMs).unref();
    const state: OpenState = { of, files, idle };
    this.#open.push(state);
    return state;
  }

  close(): void {
    for (const state of [...this.#open]) this.#close(state);
  }

  #close(state: OpenState | undefined): void {
    if (state === undefined) return;
    clearTimeout(state.idle);
    this.#open.splice(this.#open.indexOf(state), 1);
    // A read that is in progress fails, and the peer asks again.
    for (const { fd } of state.files) close(fd, () => {});
  }
}
