import type { Incoming, ParsedRequest } from "../../../protocol/client-messages.ts";
import type { EventLine } from "../../../protocol/event.ts";
import { limits } from "../../../protocol/limits.ts";
import { Recent } from "../../../protocol/recent.ts";

/** How a request came. */
export interface Asked {
  readonly atMs: number;
  /** The server's Lamport clock after the request came; NaN if the step is not over. */
  readonly clock: number;
  /** The client's Lamport clock; undefined if it sent none, or if the request is uncertain. */
  readonly sentClock: number | undefined;
}

/**
 * The requests that have made no event so far. A request gets a record only together with its event
 * (O63), so requests that read, or that are refused, overwrite no records.
 */
export class AskedRequests {
  /** The requests of the present step. */
  #present: ParsedRequest[] = [];
  #atMs = 0;
  /** Requests of earlier steps that wait, for example for the check of a password, by their ids. */
  readonly #waiting = new Recent<string, Asked & Pick<ParsedRequest, "service">>(
    limits.waitingAsked,
  );

  begin(requests: readonly Incoming[], atMs: number): void {
    this.#present = requests.filter((request) => !("refused" in request));
    this.#atMs = atMs;
  }

  /**
   * Returns for each of the events that this server has made, in their order, how its request came;
   * undefined if no request made the event, or if it is unknown.
   */
  take(made: readonly EventLine["event"][]): (Asked | undefined)[] {
    const isNameless = ({ id }: ParsedRequest) => id === undefined;
    const nameless = made.filter((event) => idOf(event) === undefined).length;
    // Requests without ids make their events in their order, but some may have made none.
    const isCertain = this.#present.filter(isNameless).length === nameless;
    return made.map((event) => {
      const id = idOf(event);
      const isIts = (one: ParsedRequest) => one.id === id && makes(one, event);
      const at = this.#present.findIndex(isIts);
      const [request] = at < 0 ? [] : this.#present.splice(at, 1);
      if (request !== undefined) {
        const sentClock = id !== undefined || isCertain ? request.clock : undefined;
        return { atMs: this.#atMs, clock: Number.NaN, sentClock };
      }
      const waited = id === undefined ? undefined : this.#waiting.get(id);
      return waited !== undefined && makes(waited, event) ? waited : undefined;
    });
  }

  /**
   * Ends the step.
   * @param clock the server's Lamport clock after the requests came
   * @param isAnswered whether the requests were answered, so that none of them waits
   */
  end(clock: number, isAnswered: boolean): void {
    if (this.#present.length === 0) return;
    for (const { id, service, clock: sentClock } of isAnswered ? [] : this.#present) {
      if (id !== undefined) this.#waiting.set(id, { service, atMs: this.#atMs, clock, sentClock });
    }
    this.#present = [];
  }
}

/** Whether a request of this service makes such events. */
function makes(
  { service }: Pick<ParsedRequest, "service">,
  { operation }: EventLine["event"],
): boolean {
  const made = service === "publish" || service === "post" ? "publication" : service;
  return made === operation;
}

/** Returns the id of the request that made the event; undefined if the request had none. */
export function idOf({ data }: EventLine["event"]): string | undefined {
  return typeof data.id === "string" ? data.id : undefined;
}
