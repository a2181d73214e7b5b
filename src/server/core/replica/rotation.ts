import type { ServerName } from "../../../protocol/ids.ts";
import { durations } from "../../../protocol/limits.ts";
import type { Now } from "../effects.ts";
import type { Replica } from "./replica.ts";
import type { Peer } from "./replication.ts";
import { Stopping } from "./stopping.ts";

interface RotationParts {
  readonly replica: Replica;
  /** The number of requests that wait for their answer. */
  open(): number;
  /** Called when the server has caught up, for the first time or again. */
  caughtUp(): void;
  entered(): void;
}

/**
 * Decides whether clients reach this server. The server enters the rotation once it has caught up,
 * and leaves the rotation while it hears no quorum, or for good when it stops (R11).
 */
export class Rotation {
  readonly #parts: RotationParts;
  /** Whether the server is in the rotation; only then do its replies reach clients. */
  #isJoined = false;
  /**
   * Whether new requests are refused, because the server stays in the rotation only until the open
   * requests are answered.
   */
  #refuses = false;
  #stopping: Stopping | undefined;
  #isStopped = false;
  #aloneSinceMs: number | undefined;

  constructor(parts: RotationParts) {
    this.#parts = parts;
  }

  /** Whether the server accepts clients' requests. */
  get isServing(): boolean {
    return this.#isJoined && !this.#refuses;
  }

  get isStopping(): boolean {
    return this.#stopping !== undefined;
  }

  /** Whether clients can reach this server or wait for its answers. */
  get isBusy(): boolean {
    return this.#isJoined || this.#parts.open() > 0;
  }

  get mayBeMember(): boolean {
    return this.#parts.replica.catchUp.phase === "live" && this.#stopping?.mayBeMember !== false;
  }

  /**
   * The text of the error that clients get while this server does not serve; undefined while it
   * serves.
   */
  get refusal(): string | undefined {
    if (this.isServing) return undefined;
    return this.isStopping
      ? "This server is stopping."
      : "This server has no quorum to serve with at the moment.";
  }

  hear(peer: Peer): void {
    this.#stopping?.hear(peer);
  }

  /** Enters or leaves the rotation after a step. */
  advance(now: Now): void {
    const { replica, caughtUp, entered } = this.#parts;
    const { replication, catchUp, effects } = replica;
    const hasView = replication.view.number > 0;
    const hasQuorum = hasView && replication.hasLiveQuorum(now.steadyMs);
    if (catchUp.phase === "live" && hasView && !hasQuorum) {
      const text = "No quorum was heard for 1.5 s: out of the rotation";
      effects.log("warn", text, { missing: this.#missing(now) });
      catchUp.restart();
    }
    this.#nameMissing(hasQuorum, now);
    const isAlone = hasView ? !hasQuorum : !replica.mayBeginCluster;
    if (!isAlone && !replica.wantsState && catchUp.advance(now.steadyMs)) {
      caughtUp();
      replica.heartbeatSoon();
    }
    const isLive = catchUp.phase === "live" && replication.isMember && hasQuorum;
    const isWanted = isLive && !this.isStopping;
    this.#refuses = !isWanted && this.#stopping?.refuses(now) !== false;
    const isJoined = isWanted || (this.#isJoined && this.#parts.open() > 0);
    if (isJoined === this.#isJoined) return;
    this.#isJoined = isJoined;
    if (isJoined) entered();
    effects.add({ type: "rotation", joined: isJoined });
    effects.log("info", isJoined ? "In the rotation" : "Out of the rotation");
  }

  #missing(now: Now): ServerName[] {
    const { replication } = this.#parts.replica;
    return replication.view.members.filter((member) => {
      return !replication.isLive(member, now.steadyMs);
    });
  }

  /**
   * Logs the silent members once, after this server has heard no quorum for `durations.commitMs`.
   */
  #nameMissing(hasQuorum: boolean, now: Now): void {
    if (hasQuorum || this.#parts.replica.replication.view.number === 0) {
      this.#aloneSinceMs = undefined;
      return;
    }
    this.#aloneSinceMs ??= now.steadyMs;
    if (now.steadyMs - this.#aloneSinceMs < durations.commitMs) return;
    this.#aloneSinceMs = Number.POSITIVE_INFINITY;
    const missing = this.#missing(now).join(", ");
    this.#parts.replica.effects.log("warn", `No quorum: waiting for ${missing}`);
  }

  stop(leave: boolean, now: Now): void {
    if (this.isStopping) return;
    const { replica } = this.#parts;
    if (replica.missesEvents) return this.finish();
    this.#stopping = new Stopping(replica, leave, now);
    replica.heartbeatSoon();
    replica.effects.log("info", "Stopping: finishing what was taken in");
  }

  /**
   * Performs the next step of the stop.
   * @param heartbeat sends a heartbeat, which says that this server has settled
   */
  advanceStop(now: Now, heartbeat: () => void): void {
    if (this.#isStopped) return;
    const { replica } = this.#parts;
    const step = this.#stopping?.next(this.isBusy, now);
    switch (step) {
      case undefined:
      case "wait":
        return;
      case "say that it has settled":
        return heartbeat();
      case "ask for leave":
        return replica.effects.add({ type: "leave", clock: replica.clock.tick() });
      case "finish":
        if (this.#stopping?.isLate) {
          replica.effects.log("warn", "Still in the view: no leave came in time");
        }
        return this.finish();
      default:
        step satisfies never;
    }
  }

  finish(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#parts.replica.effects.add({ type: "stopped" });
  }
}
