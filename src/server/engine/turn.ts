import type { Event } from "../../protocol/event.ts";
import type { RequestId, ServerName } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { emptyVector } from "../../protocol/vector.ts";
import { noView } from "../../protocol/view.ts";
import { chatFacts } from "../core/chat/chat-facts.ts";
import type { Services } from "../core/serving/decision.ts";
import type { NewEvent } from "./engine.ts";
import { storageOf } from "./events.ts";
import { Slice } from "./slice.ts";

/**
 * The origin of events that are not on disk yet, so have no place. `committed` has no such origin, so
 * no page shows the event.
 */
export const unplacedOrigin = "server_ffffffff" as ServerName;

/** An event that a request has made, until it is on disk. */
export interface MadeEvent {
  readonly event: NewEvent;
  /** The time in the sender's request (P1). */
  readonly timestamp: string | number | undefined;
}

/** The services that a turn does not make itself. */
export type OuterServices = Omit<
  Services,
  "chat" | "accounts" | "shop" | "matches" | "log" | "ledger" | "replication" | "publications"
>;

/** The slice that requests are decided by, and the events that they make. */
export class Turn {
  slice = new Slice();
  /** Names of the nodes that have each commit on disk. */
  holders: readonly string[] = [];
  readonly #made = new Map<number, MadeEvent>();
  /** The number of the last event that was made. */
  #last = 0;

  /** Removes and returns the events that requests have made since the last call, by their numbers. */
  takeMade(): ReadonlyMap<number, MadeEvent> {
    const made = new Map(this.#made);
    this.#made.clear();
    return made;
  }

  /** Returns the parts that services read and write. */
  services(outer: OuterServices): Services {
    const turn = this;
    return {
      ...outer,
      get chat() {
        return turn.slice.chat;
      },
      get accounts() {
        return turn.slice.accounts;
      },
      get shop() {
        return turn.slice.shop;
      },
      get matches() {
        return turn.slice.matches;
      },
      log: {
        get applied() {
          return turn.slice.applied;
        },
        find: (by, id) => this.slice.find(by, id),
      },
      replication: {
        get committed() {
          return turn.slice.committed;
        },
        holders: () => [...this.holders] as ServerName[],
        view: noView,
        memberWithoutHooks: undefined,
      },
      ledger: {
        make: (kind, data, timeMs) => this.#make({ kind, data, timeMs }, outer),
        // Everything that there is is committed.
        durable: emptyVector,
        snapshot: () => emptyVector,
      },
      publications: {
        add: (message, timestamp) => {
          const made = this.#made.get(message.seq);
          if (made !== undefined) this.#made.set(message.seq, { ...made, timestamp });
        },
      },
    };
  }

  /** Makes an event, and adds it to the slice, so that the next request of this turn sees it. */
  #make(
    { kind, data: { id, ...data }, timeMs }: Making,
    { clock: own, auth }: OuterServices,
  ): Event {
    this.#last += 1;
    const [server, seq, clock] = [unplacedOrigin, this.#last, own.tick()];
    const event = { kind, data, id, clock, timeMs } as NewEvent;
    this.#made.set(seq, {
      event: { ...event, ...this.#limitsOf(event, auth) },
      timestamp: undefined,
    });
    const fact = chatFacts(this.slice.chat)[event.kind];
    fact.fold(data as never, { server, seq, clock, time: timeMs, id });
    return { server, seq, clock, timestamp: timeMs, operation: kind, data: data as Event["data"] };
  }

  /** Returns what must still be true of the event's maker when it is appended. */
  #limitsOf(event: NewEvent, auth: OuterServices["auth"]): Pick<NewEvent, "version" | "most"> {
    const { kind } = event;
    const { actor } = storageOf(event);
    const account = actor === undefined ? undefined : this.slice.accounts.owner(actor);
    // The password of a login was checked, and what it grants is checked with each request.
    const version = kind === "login" || account?.locked ? undefined : account?.version;
    const mostChannels = auth === "required" ? limits.userChannels : undefined;
    return { version, most: kind === "hook" ? limits.userHooks : mostChannels };
  }
}

interface Making {
  readonly kind: string;
  readonly data: object & { readonly id?: RequestId | undefined };
  readonly timeMs: number;
}
