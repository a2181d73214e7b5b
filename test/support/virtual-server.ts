import type { Digest } from "../../src/protocol/event.ts";
import type { ServerName } from "../../src/protocol/ids.ts";
import { LamportClock } from "../../src/protocol/lamport-clock.ts";
import type { TopicKey } from "../../src/protocol/sealed.ts";
import type { Auth } from "../../src/server/core/accounts/access.ts";
import type { Retention } from "../../src/server/core/chat/chat-state.ts";
import type { Input, Now } from "../../src/server/core/effects.ts";
import type { Tables } from "../../src/server/core/services.ts";
import type { FloodPaces } from "../../src/server/core/serving/flood.ts";
import type { ServerCore } from "../../src/server/core/step.ts";
import { RememberedSteps } from "../../src/server/core/steps/remembered-steps.ts";
import { StepRecorder } from "../../src/server/core/steps/step-recorder.ts";
import type { Shell } from "../../src/server/shell.ts";
import { serverName } from "./event-lines.ts";
import { type CoreObserver, ObservedCore } from "./observed-core.ts";
import { type SavedFiles, VirtualDisk } from "./virtual-disk.ts";
import type { VirtualStore } from "./virtual-store.ts";

export interface ServerOptions {
  readonly digest: Digest;
  readonly retention?: Retention | undefined;
  readonly auth?: Auth | undefined;
  readonly flood?: FloodPaces | undefined;
  readonly tables?: Tables | undefined;
  /** The number of records of steps that each server remembers. */
  readonly steps?: number | undefined;
}

/** 2026-01-01, so that times in failure messages are easy to read. */
const startWallMs = 1_767_225_600_000;

const nobody: CoreObserver = { onInput: () => {}, onEffect: () => {}, onStep: () => {} };

/** A server's machine, its process and its disk; the disk outlives the process. */
export class VirtualServer {
  readonly name: ServerName;
  readonly disk = new VirtualDisk();
  syncMs = 1;
  /** Whether every check and hash of a password fails. */
  hashFails = false;
  hashMs: (password: string) => number = () => 2;
  /**
   * Milliseconds by which the server's clock is ahead of the true time; `driftMs` is its gain in
   * each second.
   */
  skewMs = 0;
  driftMs = 0;
  /** The core of the present or last process. The three fields below belong to the same process. */
  core: ServerCore;
  clock = new LamportClock();
  shell: Shell | undefined;
  store: VirtualStore | undefined;
  /** What the present process remembers of its steps. */
  memory: RememberedSteps | undefined;
  /** The number of the present life; tasks that were planned for an earlier life do not run. */
  life = 0;
  isRunning = false;
  /** Tasks that wait while the process is stopped (SIGSTOP); undefined while it runs. */
  frozen: (() => void)[] | undefined;
  inRotation = false;
  /** The type of the present or last input. */
  handling: Input["type"] = "tick";
  /** Whether the reference has answered that the server is out of the view. */
  hasLeft = false;
  isToldToStop = false;
  /** The peer whose link is watched, and the peer's life. */
  watched: { readonly peer: VirtualServer; readonly life: number; onLost(): void } | undefined;
  readonly published: { readonly topic: string; readonly payload: unknown }[] = [];
  readonly logged: string[] = [];
  /** The setting with which the next process starts. */
  auth: Auth | undefined;
  observer = nobody;
  /** Called when a core has loaded everything on disk. */
  onLoad: () => void = () => {};
  readonly #options: ServerOptions;

  constructor(number: number, options: ServerOptions) {
    this.name = serverName(number);
    this.#options = options;
    this.auth = options.auth;
    this.core = this.newCore();
  }

  /** Whether the disk still lacks events that it once had. */
  get missesEvents(): boolean {
    return Object.keys(this.disk.missing).length > 0;
  }

  get address(): string {
    return `ipc://${this.name}`;
  }

  get isSaving(): boolean {
    return this.isRunning && this.store?.isSaving === true;
  }

  /** The time by the server's own clock. */
  nowAt(trueMs: number): Now {
    const aheadMs = this.skewMs + (this.driftMs * trueMs) / 1_000;
    return { steadyMs: trueMs, wallMs: Math.round(startWallMs + trueMs + aheadMs) };
  }

  begin(): void {
    this.life += 1;
    this.isRunning = true;
    this.hasLeft = false;
    this.isToldToStop = false;
    this.watched = undefined;
    this.clock = new LamportClock(this.disk.clock);
  }

  end(): void {
    this.life += 1;
    this.isRunning = false;
    this.frozen = undefined;
    this.inRotation = false;
  }

  /** Stops the process (SIGSTOP): whatever reaches it waits. */
  freeze(): void {
    if (this.isRunning) this.frozen ??= [];
  }

  /** Continues the process (SIGCONT). */
  thaw(): void {
    const waiting = this.frozen ?? [];
    this.frozen = undefined;
    const { life } = this;
    for (const run of waiting) if (this.life === life) run();
  }

  /** Runs a task of the process: later if the process is stopped, never if it has ended. */
  take(run: () => void): void {
    if (!this.isRunning) return;
    if (this.frozen === undefined) run();
    else this.frozen.push(run);
  }

  deliver(input: Input): void {
    this.take(() => this.shell?.dispatch(input));
  }

  /** Makes the memory of a new process. @returns what fills it; undefined for no memory (O63) */
  remember(now: () => Now): StepRecorder | undefined {
    const { steps = 4_000 } = this.#options;
    const { name } = this;
    this.memory = steps === 0 ? undefined : new RememberedSteps(name, steps);
    const originMs = this.nowAt(0).wallMs;
    return this.memory && new StepRecorder({ name, memory: this.memory, now, originMs });
  }

  /** A core with everything that the disk has, as a starting process makes it. */
  newCore(): ServerCore {
    const { disk, name, address, auth, clock, memory } = this;
    const { digest, retention, flood, tables } = this.#options;
    const options = {
      name,
      clock,
      digest,
      address,
      memory,
      ...(tables === undefined ? {} : { tables }),
      ...(retention === undefined ? {} : { retention }),
      ...(auth === undefined ? {} : { auth }),
      ...(flood === undefined ? {} : { flood }),
      topicKeys: [
        {
          publisher: "",
          key: ({ topic, day, version }: TopicKey) => `${topic}/${day}/${version}`,
        },
      ],
    };
    const core = new ObservedCore(options, this.observer);
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
