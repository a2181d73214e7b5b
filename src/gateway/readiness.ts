import type { Connection } from "../client/connection.ts";
import type { Session } from "../client/session.ts";
import type { StatusReply } from "../protocol/replies.ts";
import { quorumOf } from "../protocol/view.ts";

/** The time between two questions. */
const intervalMs = 125;
/** The most time for one answer. */
const patienceMs = 600;
/**
 * This many questions in a row without an answer mean that no server answers. Requests go to the
 * servers in turn, so one of three servers that hangs leaves fewer questions open. Servers that lack a
 * quorum stop answering within 1.5 s, and a proxy must pass over an unready gateway within 2 s. The
 * bound is a number and not a time, because a busy machine delays the questions too.
 */
const mostUnanswered = 4;

/**
 * Asks for the cluster's status again and again, so that a gateway knows whether it can serve. An
 * unready gateway refuses all requests, so that a proxy passes over it.
 */
export class Readiness implements Disposable {
  readonly #connection: Connection;
  readonly #session: Session;
  readonly #timer: NodeJS.Timeout;
  #isEnding = false;
  #unanswered = 0;
  #found: string | undefined = "the gateway has just started";

  /** @param openConnection opens a connection whose requests fail after a time in milliseconds */
  constructor(openConnection: (deadlineMs: number) => Connection) {
    this.#connection = openConnection(patienceMs);
    this.#session = this.#connection.session();
    this.#timer = setInterval(() => void this.#look(), intervalMs);
  }

  /** Why the gateway can't serve; undefined if it can. */
  get reason(): string | undefined {
    if (this.#isEnding) return "the gateway is being stopped";
    return this.#unanswered >= mostUnanswered ? "no server answers" : this.#found;
  }

  /** From now on the gateway counts as unready, because it ends. */
  drain(): void {
    this.#isEnding = true;
    clearInterval(this.#timer);
  }

  [Symbol.dispose](): void {
    this.drain();
    this.#connection.close();
  }

  async #look(): Promise<void> {
    this.#unanswered += 1;
    try {
      this.#found = lackIn(await this.#session.status());
      this.#unanswered = 0;
    } catch {
      // A server that hangs does not answer, but the next question goes to another server.
    }
  }
}

/** Returns what a cluster with this status lacks; undefined if it can serve. */
function lackIn({ view, members }: StatusReply): string | undefined {
  if (view === undefined) return undefined;
  const live = members.filter(({ member, live }) => member && live).length;
  if (live >= quorumOf(view)) return undefined;
  return `no quorum: ${live} of ${view.members.length} servers are live`;
}
