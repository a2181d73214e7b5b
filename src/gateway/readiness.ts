import type { Connection } from "../client/connection.ts";
import type { Session } from "../client/session.ts";
import { now } from "../platform/clock.ts";
import type { Reply } from "../protocol/replies.ts";
import { outlookOf } from "./core/outlook.ts";

/** The time between two questions while the cluster may stop serving at any moment. */
const intervalMs = 125;
/**
 * While the cluster is safe for some time, the next question comes this long before its end: longer
 * than an answer takes over a slow link or from a busy machine.
 */
const reserveMs = 500;
/** A gateway tells that it is unready only after so long, because most hiccups are shorter. */
const leastUnreadyMs = 500;
/** The most time between two questions while somebody looks at the status, and how long that counts. */
const watchIntervalMs = 400;
const watchedMs = 3_000;
/** The most time for one answer. */
const patienceMs = 600;
/** A gateway that has just started waits so long before it says that no server answers. */
const firstAnswerMs = 1_000;
/**
 * After the time for which the last answer called the quorum safe, this many questions in a row
 * without an answer mean that no server answers. Requests go to the servers in turn, so one of three
 * servers that hangs leaves fewer questions open. Servers that lack a quorum stop answering within
 * 1.5 s, and a proxy must pass over an unready gateway within 2 s. A busy machine delays the questions
 * too, so the bound is also a number and not only a time.
 */
const mostUnanswered = 3;
/**
 * An unready gateway is ready again only when the quorum is safe for this long, because then members
 * were heard after the failure. Otherwise the answer may come from a server that has not noticed the
 * failure yet.
 */
const leastSafeMs = 750;

/**
 * Asks for the cluster's status again and again, so that a gateway knows whether it can serve. An
 * unready gateway refuses all requests, so that a proxy passes over it.
 */
export class Readiness implements Disposable {
  readonly #connection: Connection;
  readonly #session: Session;
  readonly #onChange: (reason: string | undefined) => void;
  /** Resolves when the gateway can serve for the first time. */
  readonly firstReady: Promise<void>;
  #becomesReady = () => {};
  #timer: NodeJS.Timeout | undefined;
  #isEnding = false;
  #status: Reply<"status"> | undefined;
  #unanswered = 0;
  /** The steady time until which the quorum can't be lost, as the last answer said. */
  #safeUntilMs = now().steadyMs + firstAnswerMs;
  #watchedUntilMs = 0;
  #found: string | undefined = "the gateway has just started";
  #told = this.#found;
  /** When the reason became another than the told one; undefined if it is the told one. */
  #changedMs: number | undefined;

  /**
   * @param openConnection opens a connection whose requests fail after a time in milliseconds
   * @param onChange called when the gateway can serve, and when it has not been able to serve for
   * half a second, or for a new reason
   */
  constructor(
    openConnection: (deadlineMs: number) => Connection,
    onChange: (reason: string | undefined) => void,
  ) {
    this.#connection = openConnection(patienceMs);
    this.#session = this.#connection.session();
    this.#onChange = onChange;
    this.firstReady = new Promise((resolve) => {
      this.#becomesReady = resolve;
    });
    this.#plan(intervalMs);
  }

  /** Why the gateway can't serve; undefined if it can. */
  get reason(): string | undefined {
    if (this.#isEnding) return "the gateway is being stopped";
    return this.#isUnanswered ? "no server answers" : this.#found;
  }

  get #isUnanswered(): boolean {
    return now().steadyMs > this.#safeUntilMs && this.#unanswered >= mostUnanswered;
  }

  /**
   * Returns what a server told last; undefined while no server answers. Somebody is looking, so the
   * next answers come more often for some time.
   */
  status(): Reply<"status"> | undefined {
    this.#watchedUntilMs = now().steadyMs + watchedMs;
    return this.#isUnanswered ? undefined : this.#status;
  }

  /** From now on the gateway counts as unready, because it ends. */
  drain(): void {
    this.#isEnding = true;
    clearTimeout(this.#timer);
  }

  [Symbol.dispose](): void {
    this.drain();
    this.#connection.close();
  }

  /** Asks after a time, unless an answer sets another one. */
  #plan(inMs: number): void {
    clearTimeout(this.#timer);
    if (!this.#isEnding) this.#timer = setTimeout(() => void this.#look(), inMs);
  }

  async #look(): Promise<void> {
    this.#unanswered += 1;
    this.#tell();
    this.#plan(intervalMs);
    const askedMs = now().steadyMs;
    try {
      this.#status = await this.#session.status();
      const { lack, safeMs } = outlookOf(this.#status);
      const { reason } = this;
      this.#unanswered = 0;
      this.#found = lack ?? (safeMs < leastSafeMs ? reason : undefined);
      this.#safeUntilMs = askedMs + safeMs;
      this.#tell();
      const { steadyMs } = now();
      const mostMs = steadyMs < this.#watchedUntilMs ? watchIntervalMs : Number.POSITIVE_INFINITY;
      const restMs = Math.min(mostMs, this.#safeUntilMs - reserveMs - steadyMs);
      this.#plan(Math.max(intervalMs, restMs));
    } catch {
      // A server that hangs does not answer, but the next question goes to another server.
    }
  }

  #tell(): void {
    const { reason } = this;
    if (this.#isEnding || reason === this.#told) {
      this.#changedMs = undefined;
      return;
    }
    const { steadyMs } = now();
    this.#changedMs ??= steadyMs;
    const isNew = this.#told === undefined && steadyMs - this.#changedMs < leastUnreadyMs;
    if (isNew) return;
    this.#changedMs = undefined;
    this.#told = reason;
    if (reason === undefined) this.#becomesReady();
    this.#onChange(reason);
  }
}
