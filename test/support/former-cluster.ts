import { digest } from "../../src/platform/digest.ts";
import type { ServerName } from "../../src/protocol/ids.ts";
import type { Operation } from "../../src/protocol/operation.ts";
import type { MutableVector } from "../../src/protocol/vector.ts";
import { chatFacts } from "../../src/server/core/chat/chat-facts.ts";
import { newContent } from "../../src/server/core/facts.ts";
import type { Placed } from "../../src/server/core/replica/placed.ts";
import type { NewEvent } from "../../src/server/engine/engine.ts";
import { storageOf } from "../../src/server/engine/events.ts";
import type { WholeState } from "../../src/server/engine/postgres/moved-rows.ts";
import { DrawnEvents, eventOf, userNames } from "./drawn-events.ts";

/** The servers of the cluster. */
export const former = ["server_00000041", "server_7fffffff", "server_fffffffe"] as ServerName[];
/** Clusters without limits keep all messages; this one has dropped some. */
const retention = { channelMessages: 60, userMessages: 10_000, userLogins: 10_000 };

/** A cluster of three servers, which have taken drawn requests, some of them twice. */
export class FormerCluster {
  readonly state: WholeState;
  /** What was made, also what was dropped since. */
  readonly made: { readonly event: NewEvent; readonly place: Placed }[] = [];
  readonly #vector: MutableVector = {};
  #clock = 0;

  constructor(seed: number) {
    const content = newContent(digest, retention);
    const drawn = new DrawnEvents(seed);
    const taken = new Set<string>();
    const first = userNames.map((user) => eventOf("login", { user, isProven: true }));
    for (const event of [...first, ...Array.from({ length: 1_500 }, () => drawn.next())]) {
      const server = drawn.pick(former) as ServerName;
      // A server takes a request once. Its numbers have gaps, because not all events are the chat's.
      const key = `${server} ${storageOf(event).scope} ${event.id}`;
      if (event.id !== undefined && taken.has(key)) continue;
      taken.add(key);
      this.#clock += 1 + Math.floor(2 * drawn.random());
      const seq = (this.#vector[server] ?? 0) + 1 + Math.floor(2 * drawn.random());
      this.#vector[server] = seq;
      const place = { server, seq, clock: this.#clock, time: event.timeMs, id: event.id };
      chatFacts(content.chat)[event.kind].fold(event.data as never, place);
      this.made.push({ event, place });
    }
    for (const server of former) this.#vector[server] = (this.#vector[server] ?? 0) + 3;
    this.state = { ...content, vector: this.#vector, clock: this.#clock + 10 };
  }

  /** Decides operations in the next slot. */
  decide(ops: readonly Operation[]): void {
    const { log } = this.state;
    const slot = log.applied + 1;
    log.add({ epoch, slot, time: 1_000 + slot, ops });
    log.settle({ epoch, upTo: slot });
  }
}

export const epoch = { view: 1, term: 1 };
