import type { ServerName } from "../../../protocol/ids.ts";
import { durations } from "../../../protocol/limits.ts";
import type { CoordinationRequest } from "../../../protocol/peer-messages.ts";
import { quorumOf } from "../../../protocol/view.ts";
import type { Answered, Now } from "../effects.ts";
import type { Replica } from "../replica/replica.ts";
import type { DecisionLog } from "./decision-log.ts";

/** A read that wants the state as of now (D8). */
export interface ReadAsOfNow {
  readonly deadlineMs: number;
  /** @param isAsOfNow false if no quorum told in time how far the log is */
  done(isAsOfNow: boolean, now: Now): void;
}

/** One question to all members of a view, for all reads that waited when it was sent. */
interface Round {
  readonly view: number;
  readonly reads: readonly ReadAsOfNow[];
  readonly answered: Set<ServerName>;
  /** For each member, when it was asked last. */
  readonly askedMs: Map<ServerName, number>;
  highest: number;
}

type SlotsRequest = CoordinationRequest & { readonly service: "slots" };

/**
 * Reads as of now (D8). The server asks all members of its view for the highest slot of which they
 * know. Once a quorum has answered, it waits until it has applied the highest of these slots.
 */
export class ReadsAsOfNow {
  readonly #replica: Replica;
  readonly #log: DecisionLog;
  #waiting: ReadAsOfNow[] = [];
  #round: Round | undefined;
  readonly #asked = new Map<CoordinationRequest, Round>();
  /** Reads that wait until a slot is applied. */
  #applying: { readonly slot: number; readonly read: ReadAsOfNow }[] = [];

  constructor(replica: Replica, log: DecisionLog) {
    this.#replica = replica;
    this.#log = log;
  }

  get open(): number {
    return this.#waiting.length + (this.#round?.reads.length ?? 0) + this.#applying.length;
  }

  add(read: ReadAsOfNow): void {
    this.#waiting.push(read);
  }

  /** Whether this server may answer another one's question about the view with this number. */
  mayAnswer(number: number): boolean {
    const { view, adopting } = this.#replica.replication;
    return adopting === undefined && view.number === number;
  }

  onAnswer({ from, request, answer }: Answered<SlotsRequest>): void {
    const round = this.#asked.get(request);
    this.#asked.delete(request);
    if (round === undefined || answer?.service !== "slots") return;
    round.answered.add(from);
    round.highest = Math.max(round.highest, answer.highest);
  }

  advance(now: Now): void {
    if (this.open === 0) return;
    if (this.#round !== undefined && !this.mayAnswer(this.#round.view)) {
      // Another view is adopted meanwhile, so the question is asked again.
      this.#waiting.unshift(...this.#round.reads);
      this.#end();
    }
    const { view, adopting } = this.#replica.replication;
    if (this.#round === undefined && this.#waiting.length > 0 && adopting === undefined) {
      const isMember = view.members.includes(this.#replica.name);
      const answered = new Set(isMember ? [this.#replica.name] : []);
      const reads = this.#waiting.splice(0);
      const { highest } = this.#log;
      this.#round = { view: view.number, reads, answered, askedMs: new Map(), highest };
    }
    const round = this.#round;
    if (round !== undefined && round.answered.size >= quorumOf(view)) {
      for (const read of round.reads) this.#applying.push({ slot: round.highest, read });
      this.#end();
    } else if (round !== undefined) this.#ask(round, now);
    this.#finish(now);
  }

  #end(): void {
    this.#round = undefined;
    this.#asked.clear();
  }

  #ask(round: Round, now: Now): void {
    const { name, replication, effects } = this.#replica;
    for (const member of replication.view.members) {
      const askedMs = round.askedMs.get(member) ?? Number.NEGATIVE_INFINITY;
      const isSoon = now.steadyMs - askedMs < durations.askAgainMs;
      const { address } = replication.peer(member);
      if (member === name || round.answered.has(member) || isSoon || address === "") continue;
      round.askedMs.set(member, now.steadyMs);
      const summary = this.#replica.summary();
      const request: SlotsRequest = { service: "slots", ...summary, number: round.view };
      this.#asked.set(request, round);
      const patienceMs = durations.peerRequestMs;
      effects.add({ type: "askPeer", peer: member, address, request, patienceMs });
    }
  }

  #finish(now: Now): void {
    const isLate = ({ deadlineMs }: ReadAsOfNow) => now.steadyMs >= deadlineMs;
    const applying = this.#applying.splice(0);
    for (const one of applying) {
      if (this.#log.applied >= one.slot) one.read.done(true, now);
      else if (isLate(one.read)) one.read.done(false, now);
      else this.#applying.push(one);
    }
    const reads = this.#round?.reads ?? [];
    if (![...reads, ...this.#waiting].some(isLate)) return;
    const open = [...reads, ...this.#waiting].filter((read) => !isLate(read));
    const late = [...reads, ...this.#waiting].filter(isLate);
    this.#end();
    this.#waiting = open;
    for (const read of late) read.done(false, now);
  }
}
