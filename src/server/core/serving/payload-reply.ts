import type {
  Incoming,
  ParsedRequest,
  Refused,
  ReplyData,
  SentReply,
} from "../../../protocol/client-messages.ts";
import type { ProtocolError } from "../../../protocol/errors.ts";
import type { ServerName } from "../../../protocol/ids.ts";
import type { LamportClock } from "../../../protocol/lamport-clock.ts";
import { limits } from "../../../protocol/limits.ts";
import { isoTime } from "../../../protocol/time.ts";
import { renewal } from "../accounts/access.ts";
import type { Room } from "../chat/history.ts";
import type { Effect, Now, ReplyTo } from "../effects.ts";
import { rowOf, type ServiceRow, type ServiceTable } from "./service.ts";

export function isRefused(request: Incoming): request is Refused {
  return "refused" in request;
}

interface PayloadParts {
  readonly to: ReplyTo;
  readonly batch: boolean;
  readonly requests: readonly Incoming[];
  readonly server: ServerName;
  readonly table: ServiceTable;
}

/**
 * Collects the answers to the requests of one payload. The reply is sent once all of them are
 * answered (W2).
 */
export class PayloadReply {
  readonly to: ReplyTo;
  readonly batch: boolean;
  readonly room: Room = { bytes: limits.replyBytes };
  readonly #requests: readonly Incoming[];
  readonly #replies: (SentReply | undefined)[];
  readonly #server: ServerName;
  readonly #table: ServiceTable;
  #missing: number;

  constructor({ to, batch, requests, server, table }: PayloadParts) {
    this.to = to;
    this.#table = table;
    this.batch = batch;
    this.#requests = requests;
    this.#replies = new Array(requests.length).fill(undefined);
    this.#missing = requests.length;
    this.#server = server;
  }

  get isComplete(): boolean {
    return this.#missing === 0;
  }

  /** @param slot the slot of the operation that the answer tells of */
  answer(index: number, answer: object, slot?: number): void {
    const status = this.#row(index)?.success ?? "OK";
    this.#reply(index, { status, ...answer, ...(slot === undefined ? {} : { slot }) });
  }

  /** @param slot the slot of the operation that the error tells of */
  refuse(index: number, error: ProtocolError, slot?: number): void {
    const { code, message: description, retry, wait, reason } = error;
    this.#reply(index, {
      status: "erro",
      code,
      description,
      retry,
      ...(slot === undefined ? {} : { slot }),
      ...(wait === undefined ? {} : { wait }),
      ...(reason === undefined ? {} : { reason }),
      ...(this.#row(index)?.repeatsError === true ? { message: description } : {}),
    });
  }

  /** Returns the row of the request's service; undefined if the service is unknown. */
  #row(index: number): ServiceRow | undefined {
    return this.#table[this.#requests[index]?.service ?? ""];
  }

  #reply(index: number, fields: Partial<ReplyData>): void {
    const request = this.#requests[index];
    if (request === undefined || this.#replies[index] !== undefined) return;
    const { service, id } = request;
    const data: ReplyData = { clock: 0, timestamp: "", server: this.#server, ...fields };
    if (id !== undefined) data.id = id;
    this.#replies[index] = { service, data };
    this.#missing -= 1;
  }

  /**
   * Returns the effect that sends the reply. All replies to one payload are sent at one instant,
   * and so have the same clock (W5).
   */
  effect(clock: LamportClock, wallMs: number, slot: number): Effect {
    const tick = clock.tick();
    const timestamp = isoTime(wallMs);
    const replies = this.#replies as SentReply[];
    for (const [index, { data }] of replies.entries()) {
      data.clock = tick;
      data.timestamp = timestamp;
      data.slot ??= slot;
      const request = this.#requests[index] as Incoming;
      if (data.status !== "erro" && !isRefused(request)) {
        data.grant ??= renewal(request, rowOf(this.#table, request), wallMs);
      }
    }
    return { type: "reply", to: this.to, batch: this.batch, replies };
  }
}

/** One request within its payload. */
export interface Pending {
  readonly payload: PayloadReply;
  readonly index: number;
}

/** A write that waits for its event to be committed. */
export interface WaitingWrite extends Pending {
  readonly server: ServerName;
  readonly seq: number;
  /**
   * Whether the request has no `after`. The answer then waits until all live members have the event
   * on disk (R9).
   */
  readonly plain: boolean;
  /**
   * Steady time at which the write is given up if its event is not committed. A write with a
   * committed event is answered at this time, even if some live members do not have the event on
   * disk.
   */
  deadlineMs: number;
  answer(): object;
  readonly request: ParsedRequest;
  /** Decides the request once more. */
  again(now: Now): void;
}
