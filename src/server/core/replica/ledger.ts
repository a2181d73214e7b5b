import assert from "node:assert";
import {
  type Digest,
  type Event,
  type EventLine,
  follows,
  readLine,
  writeLine,
} from "../../../protocol/event.ts";
import { type Chain, emptyChain, type RequestId, type ServerName } from "../../../protocol/ids.ts";
import type { LamportClock } from "../../../protocol/lamport-clock.ts";
import type { Heads, Mark } from "../../../protocol/mark.ts";
import { type MutableVector, servers, type Vector } from "../../../protocol/vector.ts";
import type { SavedState, StateMachine } from "./state-machine.ts";

/** What became of a peer's line: it was appended, was known, comes after a gap, or is broken. */
export type Outcome = "appended" | "known" | "gap" | "broken";

interface LedgerParts {
  readonly name: ServerName;
  readonly clock: LamportClock;
  readonly digest: Digest;
  readonly machine: StateMachine;
}

/** The data of a new event; `id` is the id of the request (R6). */
type NewData<Data = object> = Data & { readonly id?: RequestId | undefined };

/** A ledger whose `make` accepts only the operations in `EventData`. */
export type LedgerOf<EventData> = Omit<Ledger, "make"> & {
  make<O extends keyof EventData & string>(
    operation: O,
    data: NewData<EventData[O]>,
    wallMs: number,
  ): Event;
};

/**
 * The log of this replica: the events that it holds, without gaps for each server (R1). A held
 * event is in the state. An event is durable once the journal has synced it.
 */
export class Ledger {
  readonly held: MutableVector = {};
  readonly durable: MutableVector = {};
  /** The chain of each server's last durable event. */
  readonly durableChains: Record<ServerName, Chain> = {};
  readonly heldChains: Record<ServerName, Chain> = {};
  highestClock = 0;
  readonly #name: ServerName;
  readonly #clock: LamportClock;
  readonly #digest: Digest;
  readonly #state: StateMachine;
  /** The events that are held but not yet durable, in the order of the journal. */
  readonly #unflushed: EventLine[] = [];
  /** The lines appended in this step, which go into one `append` effect. */
  #appended: EventLine[] = [];
  /** The time of each server's last held event, in milliseconds since 1970. */
  readonly heldTimes: Record<ServerName, number> = {};
  #missing: Heads = {};
  /**
   * Undamaged lines of a damaged disk that can't be appended yet, because events before them are
   * missing. Each list has the line with the lowest `seq` last.
   */
  readonly #salvaged = new Map<ServerName, EventLine[]>();

  constructor({ name, clock, digest, machine }: LedgerParts) {
    this.#name = name;
    this.#clock = clock;
    this.#digest = digest;
    this.#state = machine;
  }

  /** Loads a saved state. Must be called before `recover`. @throws Error if the state is damaged */
  recoverSaved(saved: SavedState, { vector, chains, clock, times }: Mark): void {
    this.#state.restore(saved, this.held);
    for (const server of servers(vector)) {
      const seq = vector[server] ?? 0;
      if (seq <= (this.held[server] ?? 0)) continue;
      this.held[server] = seq;
      this.heldChains[server] = chains[server] ?? emptyChain;
      this.heldTimes[server] = times[server] ?? 0;
    }
    this.highestClock = Math.max(this.highestClock, clock);
    this.#clock.receive(clock);
  }

  /** Loads an event of the journal. The event is not durable until `recovered` is called. */
  recover(line: EventLine): void {
    this.#take(line);
    this.#clock.receive(line.event.clock);
  }

  /** Records that all loaded events have been synced again, and so are durable (R2). */
  recovered(): void {
    assert(this.#unflushed.length === 0, "recovery comes before the first event");
    Object.assign(this.durable, this.held);
    Object.assign(this.durableChains, this.heldChains);
  }

  /**
   * Records the events that this disk once had and lost. Until these events are back, the server
   * neither broadcasts nor answers its peers (J5).
   * @param salvaged the undamaged lines among the lost events
   */
  noteMissing(heads: Heads, salvaged: Iterable<EventLine>): void {
    this.#missing = heads;
    for (const line of salvaged) {
      const { server, seq } = line.event;
      if (seq <= (this.held[server] ?? 0)) continue;
      const lines = this.#salvaged.get(server);
      if (lines === undefined) this.#salvaged.set(server, [line]);
      else lines.push(line);
    }
    for (const lines of this.#salvaged.values()) lines.sort((a, b) => b.event.seq - a.event.seq);
  }

  /**
   * Appends the salvaged lines that now follow the held events. Some of these events may be on no
   * other disk, because the process was killed after it wrote them and before it sent them.
   */
  takeSalvaged(): void {
    for (const [server, lines] of this.#salvaged) {
      for (let next = lines.at(-1); next !== undefined; next = lines.at(-1)) {
        const { outcome } = this.receive(next.line);
        if (outcome === "gap") break;
        lines.pop();
      }
      if (lines.length === 0) this.#salvaged.delete(server);
    }
  }

  get missesEvents(): boolean {
    const missing = Object.keys(this.#missing) as ServerName[];
    return missing.some(
      (server) => (this.durable[server] ?? 0) < (this.#missing[server]?.seq ?? 0),
    );
  }

  /**
   * Makes and appends an event of this server.
   * @param wallMs the event's time in milliseconds since 1970; raised to the time of this server's
   * last event if that is later
   */
  make(operation: string, data: NewData, wallMs: number): Event {
    const event: Event = {
      server: this.#name,
      seq: (this.held[this.#name] ?? 0) + 1,
      clock: this.#clock.tick(),
      timestamp: Math.max(this.heldTimes[this.#name] ?? 0, wallMs),
      operation,
      data: data as Event["data"],
    };
    this.#append(writeLine(event, this.#chainOf(this.#name), this.#digest));
    return event;
  }

  /** Appends a peer's line if it is the next line of its server and continues the chain. */
  receive(text: string): { outcome: Outcome; problem?: string } {
    let line: EventLine;
    try {
      line = readLine(text, this.#digest);
    } catch (error) {
      return { outcome: "broken", problem: (error as Error).message };
    }
    const { server, seq, clock } = line.event;
    const held = this.held[server] ?? 0;
    if (seq <= held) return { outcome: "known" };
    if (seq > held + 1) return { outcome: "gap" };
    const missing = this.#missing[server];
    if (missing?.seq === seq && missing.chain !== emptyChain && missing.chain !== line.chain) {
      return { outcome: "broken", problem: `${server} ${seq} is not what this disk had` };
    }
    if (!follows(line, this.#chainOf(server), this.#digest)) {
      return { outcome: "broken", problem: `the chain of ${server} breaks at ${seq}` };
    }
    try {
      this.#append(line);
    } catch (error) {
      return { outcome: "broken", problem: `${server} ${seq}: ${(error as Error).message}` };
    }
    this.#clock.receive(clock);
    return { outcome: "appended" };
  }

  /** Removes and returns the lines appended since the last call. */
  takeAppended(): readonly EventLine[] {
    const lines = this.#appended;
    if (lines.length > 0) this.#appended = [];
    return lines;
  }

  /** Records that the journal has synced the next `count` lines. @returns these lines */
  flushed(count: number): readonly EventLine[] {
    assert(count <= this.#unflushed.length, "more lines were synced than appended");
    const lines = this.#unflushed.splice(0, count);
    for (const { event, chain } of lines) {
      this.durable[event.server] = event.seq;
      this.durableChains[event.server] = chain;
    }
    return lines;
  }

  get allDurable(): boolean {
    return this.#unflushed.length === 0;
  }

  snapshot(): Vector {
    return { ...this.durable };
  }

  #chainOf(server: ServerName): Chain {
    return this.heldChains[server] ?? emptyChain;
  }

  #append(line: EventLine): void {
    this.#take(line);
    this.#unflushed.push(line);
    this.#appended.push(line);
  }

  #take(line: EventLine): void {
    const { server, seq, timestamp } = line.event;
    assert(seq === (this.held[server] ?? 0) + 1, "an event must follow the one before it (R1)");
    this.#state.apply(line.event);
    this.held[server] = seq;
    this.heldChains[server] = line.chain;
    this.highestClock = Math.max(this.highestClock, line.event.clock);
    this.heldTimes[server] = timestamp;
  }
}
