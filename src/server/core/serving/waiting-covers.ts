import type { ParsedRequest } from "../../../protocol/client-messages.ts";
import type { ServerName } from "../../../protocol/ids.ts";
import { servers, type Vector } from "../../../protocol/vector.ts";
import { firstIndex } from "../first-index.ts";
import type { Pending } from "./payload-reply.ts";

/**
 * A request that waits until `until` is committed: the request's `after`, or this server's durable
 * vector when the request came.
 */
export interface WaitingCover extends Pending {
  readonly request: ParsedRequest;
  readonly connection: string;
  readonly isAdmitted: boolean;
  readonly until: Vector;
  readonly deadlineMs: number;
}

/** A waiting request, and one event that it lacks. */
interface Lacking<Asked> {
  readonly asked: Asked;
  /**
   * The number of the request in the order of arrival. Requests that become due together are
   * decided in this order (W15).
   */
  readonly number: number;
  server: ServerName;
  seq: number;
}

/**
 * Requests that wait until a vector is committed. A request that lacks events is filed under one of
 * these events. The request is checked again only when that event is committed or the deadline
 * passes, so waiting for an event that never comes costs nothing until the deadline.
 */
export class WaitingCovers<Asked extends WaitingCover> {
  /**
   * For each server, the requests filed under its events, sorted by the event's `seq`, then by
   * `number`.
   */
  readonly #lacking = new Map<ServerName, Lacking<Asked>[]>();
  /**
   * The requests that lack events: one set of requests with `after`, and one set of requests
   * without `after`. Each set is sorted by deadline.
   */
  readonly #byDeadline = [new Set<Lacking<Asked>>(), new Set<Lacking<Asked>>()] as const;
  /** Requests that lacked no event when they came; the next call of `due` returns them. */
  #covered: Lacking<Asked>[] = [];
  #last = 0;

  get size(): number {
    const [asked, plain] = this.#byDeadline;
    return asked.size + plain.size + this.#covered.length;
  }

  /** Returns all requests that `due` would return, and perhaps some more, and keeps them. */
  candidates(committed: Vector, steadyMs: number): Asked[] {
    const found = [...this.#covered];
    for (const queue of this.#byDeadline) {
      for (const lacking of queue) {
        if (steadyMs < lacking.asked.deadlineMs) break;
        found.push(lacking);
      }
    }
    for (const [server, list] of this.#lacking) {
      found.push(...list.slice(0, endOf(list, committed[server] ?? 0)));
    }
    return found.map(({ asked }) => asked);
  }

  add(asked: Asked, committed: Vector): void {
    this.#last += 1;
    const lacking = { asked, number: this.#last, server: "" as ServerName, seq: 0 };
    if (this.#place(lacking, committed)) this.#queueOf(lacking).add(lacking);
    else this.#covered.push(lacking);
  }

  /**
   * Removes and returns the requests whose vector is committed or whose deadline has passed, in the
   * order in which they came.
   */
  due(committed: Vector, steadyMs: number): Asked[] {
    if (this.size === 0) return [];
    const due = this.#covered;
    this.#covered = [];
    for (const queue of this.#byDeadline) {
      for (const lacking of queue) {
        if (steadyMs < lacking.asked.deadlineMs) break;
        queue.delete(lacking);
        this.#takeOut(lacking);
        due.push(lacking);
      }
    }
    for (const server of servers(committed)) {
      for (const lacking of this.#takeUpTo(server, committed[server] ?? 0)) {
        if (this.#place(lacking, committed)) continue;
        this.#queueOf(lacking).delete(lacking);
        due.push(lacking);
      }
    }
    return due.sort((a, b) => a.number - b.number).map(({ asked }) => asked);
  }

  #queueOf({ asked }: Lacking<Asked>): Set<Lacking<Asked>> {
    return this.#byDeadline[asked.request.after === undefined ? 1 : 0];
  }

  /**
   * Files the request under an event that it lacks.
   * @returns false if the request lacks no event
   */
  #place(lacking: Lacking<Asked>, committed: Vector): boolean {
    const { until } = lacking.asked;
    const server = servers(until).find((name) => (committed[name] ?? 0) < (until[name] ?? 0));
    if (server === undefined) return false;
    lacking.server = server;
    lacking.seq = until[server] ?? 0;
    const list = this.#lacking.get(server);
    if (list === undefined) this.#lacking.set(server, [lacking]);
    else list.splice(indexOf(list, lacking), 0, lacking);
    return true;
  }

  #takeUpTo(server: ServerName, seq: number): Lacking<Asked>[] {
    const list = this.#lacking.get(server);
    if (list === undefined || (list[0] as Lacking<Asked>).seq > seq) return [];
    const found = list.splice(0, endOf(list, seq));
    if (list.length === 0) this.#lacking.delete(server);
    return found;
  }

  #takeOut(lacking: Lacking<Asked>): void {
    const list = this.#lacking.get(lacking.server) as Lacking<Asked>[];
    list.splice(indexOf(list, lacking), 1);
    if (list.length === 0) this.#lacking.delete(lacking.server);
  }
}

type Position = Pick<Lacking<unknown>, "seq" | "number">;

/** Returns how many of the requests lack no event above `seq`. */
function endOf(list: readonly Position[], seq: number): number {
  return indexOf(list, { seq, number: Number.POSITIVE_INFINITY });
}

function indexOf(list: readonly Position[], { seq, number }: Position): number {
  return firstIndex(list.length, (index) => {
    const item = list[index] as Position;
    return item.seq < seq || (item.seq === seq && item.number < number);
  });
}
