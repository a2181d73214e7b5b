import type { Ballot } from "../../src/protocol/epoch.ts";
import type { Digest } from "../../src/protocol/event.ts";
import type { ServerName } from "../../src/protocol/ids.ts";
import { LamportClock } from "../../src/protocol/lamport-clock.ts";
import type { View } from "../../src/protocol/view.ts";
import type { Auth } from "../../src/server/core/accounts/access.ts";
import type { Retention } from "../../src/server/core/chat/chat-state.ts";
import type { Input } from "../../src/server/core/effects.ts";
import type { Tables } from "../../src/server/core/services.ts";
import type { FloodPaces } from "../../src/server/core/serving/flood.ts";
import { ServerCore } from "../../src/server/core/step.ts";
import { serverName } from "./event-lines.ts";
import { type SavedFiles, VirtualDisk } from "./virtual-disk.ts";

export interface ServerOptions {
  readonly digest: Digest;
  readonly retention?: Retention | undefined;
  readonly auth?: Auth | undefined;
  readonly flood?: FloodPaces | undefined;
  readonly tables?: Tables | undefined;
}

/** A server's process and its disk; the disk outlives the process. */
export class VirtualServer {
  readonly name: ServerName;
  readonly disk = new VirtualDisk();
  /** Milliseconds that a sync takes. */
  syncMs = 1;
  /** Whether its machine fails at passwords. */
  hashFails = false;
  /** Milliseconds that a password takes to be hashed. */
  hashMs: (password: string) => number = () => 2;
  /** What its clock is ahead of the true time, and how much it gains in a second. */
  skewMs = 0;
  driftMs = 0;
  /** Of the present process, or of the last one. */
  core: ServerCore;
  /** Counts processes; what was planned for an earlier one does not happen. */
  life = 0;
  isRunning = false;
  /** What comes while the process is stopped (SIGSTOP), until it goes on. */
  frozen: (() => void)[] | undefined;
  inRotation = false;
  isSaving = false;
  /** The present input's type, or the last one's. */
  handling: Input["type"] = "tick";
  /** Told by the reference that it is out of the view. */
  hasLeft = false;
  /** On its way to the disk. */
  savingView: View | undefined;
  savingBallot: Ballot | undefined;
  /** Whose peer link it watches, in which life. */
  watched: { readonly peer: ServerName; readonly life: number } | undefined;
  readonly published: { readonly topic: string; readonly payload: unknown }[] = [];
  readonly logged: string[] = [];
  /** As its next process is told. */
  auth: Auth | undefined;
  readonly #options: ServerOptions;

  constructor(number: number, options: ServerOptions) {
    this.name = serverName(number);
    this.#options = options;
    this.auth = options.auth;
    this.core = this.newCore();
  }

  /** Whether its disk still lacks what it once had. */
  get missesEvents(): boolean {
    return Object.keys(this.disk.missing).length > 0;
  }

  get address(): string {
    return `ipc://${this.name}`;
  }

  /** A core with all that the disk holds, as a start makes it. */
  newCore(): ServerCore {
    const { disk, name, address, auth } = this;
    const { digest, retention, flood, tables } = this.#options;
    const clock = new LamportClock(disk.clock);
    const core = new ServerCore({
      name,
      clock,
      digest,
      address,
      ...(tables === undefined ? {} : { tables }),
      ...(retention === undefined ? {} : { retention }),
      ...(auth === undefined ? {} : { auth }),
      ...(flood === undefined ? {} : { flood }),
      topicKey: ({ topic, day, version }) => `${topic}/${day}/${version}`,
    });
    core.recoverPromises(disk.view, disk.ballot);
    for (const saved of [disk.saved, disk.fetched]) {
      if (saved !== undefined) core.recoverState(asSavedState(saved), saved.mark);
    }
    for (const line of disk.journal) core.recoverEvent(line);
    core.recoverMissing(disk.missing, disk.salvaged);
    return core;
  }
}

function asSavedState({ files, rows }: SavedFiles) {
  return {
    rows,
    *entries(name: string): Generator<string> {
      for (const line of files.get(name) ?? []) {
        const text = line.trimEnd();
        if (text.length > 2) yield text.endsWith(",") ? text.slice(0, -1) : text;
      }
    },
  };
}
