import type { Connection } from "../client/connection.ts";
import type { Session } from "../client/session.ts";
import { now } from "../platform/clock.ts";
import type { StatusReply } from "../protocol/replies.ts";
import { quorumOf } from "../protocol/view.ts";

/**
 * The time between two questions. Requests go to the servers in turn, so if two of three servers
 * hang, an answer still comes within three intervals.
 */
const intervalMs = 150;
/** The most time for one answer. */
const patienceMs = 600;
/**
 * Silence after which no server counts as answering. Servers notice a lost quorum within 1.5 s, and a
 * proxy must pass over an unready gateway within 2 s.
 */
const silenceMs = 1_000;

/**
 * Asks for the cluster's status again and again, so that a gateway knows whether it can serve. An
 * unready gateway refuses all requests, so that a proxy passes over it.
 */
export class Readiness implements Disposable {
  readonly #connection: Connection;
  readonly #session: Session;
  readonly #timer: NodeJS.Timeout;
  #isEnding = false;
  #heardMs = now().steadyMs;
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
    return now().steadyMs - this.#heardMs > silenceMs ? "no server answers" : this.#found;
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
    try {
      this.#found = lackIn(await this.#session.status());
      this.#heardMs = now().steadyMs;
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
