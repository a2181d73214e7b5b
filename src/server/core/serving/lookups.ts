import type { ProtocolError } from "../../../protocol/errors.ts";
import { limits } from "../../../protocol/limits.ts";
import type { Trace } from "../../../protocol/steps.ts";
import type { Now } from "../effects.ts";
import { type Decision, refuse, type Services } from "./decision.ts";
import { notSearched, tooManySearches, tooManyTraces } from "./refusals.ts";
import type { ServingParts } from "./serving-parts.ts";

/** A request whose lookup is complete. */
interface Done<Asked> {
  readonly asked: Asked;
  decide(now: Now): Decision;
}

/** Requests for which others are asked: the members for a trace, or the engine for messages. */
export class Lookups<Asked extends { readonly connection: string }> {
  readonly #services: Services;
  readonly #traces: ServingParts["traces"];
  #openTraces = 0;
  #openSearches = 0;
  #done: Done<Asked>[] = [];

  constructor({ services, traces }: Pick<ServingParts, "services" | "traces">) {
    this.#services = services;
    this.#traces = traces;
  }

  get size(): number {
    return this.#openTraces + this.#openSearches + this.#done.length;
  }

  /** The requests whose lookup is complete. */
  get done(): readonly Asked[] {
    return this.#done.map(({ asked }) => asked);
  }

  /** @returns why the trace is refused */
  trace(asked: Asked, of: string, now: Now): ProtocolError | undefined {
    const { connection } = asked;
    if (this.#traces.isFullFor(connection)) return tooManyTraces();
    this.#openTraces += 1;
    const done = (answer: Trace) => {
      this.#openTraces -= 1;
      this.#done.push({ asked, decide: () => ({ next: "answer", answer }) });
    };
    this.#traces.add({ of, connection, done }, now);
    return undefined;
  }

  /** @returns why the search is refused */
  search(
    asked: Asked,
    { query, settle }: Decision & { next: "search" },
  ): ProtocolError | undefined {
    if (this.#openSearches >= limits.openSearches) return tooManySearches();
    this.#openSearches += 1;
    this.#services.search?.(query, (found) => {
      this.#openSearches -= 1;
      const decide = () => (found === undefined ? refuse(notSearched()) : settle(found));
      this.#done.push({ asked, decide });
    });
    return undefined;
  }

  /** Removes and returns the requests whose lookup is complete. */
  take(): Done<Asked>[] {
    return this.#done.splice(0);
  }
}
