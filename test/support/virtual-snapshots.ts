import type { ServerName } from "../../src/protocol/ids.ts";
import { durations } from "../../src/protocol/limits.ts";
import type { Fetching, Snapshots } from "../../src/server/surroundings.ts";
import type { CoreCluster } from "./core-cluster.ts";
import type { SavedFiles } from "./virtual-disk.ts";
import type { VirtualProcess } from "./virtual-process.ts";
import type { VirtualStore } from "./virtual-store.ts";

interface SnapshotParts {
  readonly cluster: CoreCluster;
  readonly process: VirtualProcess;
  readonly store: VirtualStore;
}

/** The number of pages of each saved state. */
const pages = 3;
const mostTries = 3;

/** Fetches peers' saved states for one process. */
export class VirtualSnapshots implements Snapshots {
  readonly #parts: SnapshotParts;
  #isStopped = false;

  constructor(parts: SnapshotParts) {
    this.#parts = parts;
  }

  stop(): void {
    this.#isStopped = true;
  }

  fetch({ peer }: { readonly peer: ServerName }, fetching: Fetching): void {
    const { process, store } = this.#parts;
    if (store.isSaving) return process.later(1, () => this.fetch({ peer }, fetching));
    if (process.server.disk.isWhole) return this.#copy(peer, fetching);
    const fail = () => fetching.onFailed("the state that came before is not saved yet");
    process.later(1, () => process.call(fail));
  }

  /** Fetches page by page from one frozen state; fails if a page does not come in three tries. */
  #copy(name: ServerName, fetching: Fetching): void {
    const { cluster, process } = this.#parts;
    const { network } = cluster;
    const own = process.server.name;
    const peer = cluster.find(name);
    let source: { readonly state: SavedFiles | undefined; readonly life: number } | undefined;
    const ask = (page: number, tries: number) => {
      if (this.#isStopped) return fetching.onFailed("the server stops");
      const settle = process.once((isHeld: boolean | undefined) => {
        if (isHeld === undefined && tries < mostTries) return ask(page, tries + 1);
        if (isHeld !== true || source?.state === undefined) return fetching.onFailed("it is gone");
        fetching.onPage();
        if (page < pages) ask(page + 1, 1);
        else this.#putInPlace(source.state, fetching);
      });
      process.later(durations.peerRequestMs, () => settle(() => undefined));
      network.send({ wire: "peer", from: own, to: name }, () => {
        if (peer?.isRunning !== true) return;
        // Files stay open while the peer's process lives.
        source ??= { state: peer.disk.givesState, life: peer.life };
        const isHeld = source.state !== undefined && source.life === peer.life;
        network.send({ wire: "peer", from: name, to: own }, () => settle(() => isHeld));
      });
    };
    ask(1, 1);
  }

  #putInPlace(state: SavedFiles, fetching: Fetching): void {
    const { process, store } = this.#parts;
    const { disk, syncMs } = process.server;
    const put = () => {
      // A state that is being saved covers less, so it must not replace the fetched one later.
      if (store.isSaving) return process.later(1, () => process.call(put));
      disk.keepFetched(state);
      fetching.onDone();
    };
    process.later(syncMs, () => process.call(put));
  }
}
