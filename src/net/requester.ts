import { Dealer } from "zeromq";
import { now } from "../platform/clock.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { connect } from "./connect.ts";
import { type Refusal, watchRefusals } from "./handshake.ts";
import { SendQueue } from "./send-queue.ts";
import { receiveAll, socketOptions } from "./socket.ts";

/** A payload, and the frame behind it if there was one. */
export interface Answer {
  readonly payload: Buffer;
  readonly seal: Buffer | undefined;
}

interface Open {
  /** Steady time from which an answer counts no more. */
  readonly lateMs: number;
  resolve(answer: Answer): void;
  reject(error: ProtocolError): void;
  timer: NodeJS.Timeout;
}

/** What a question to a process that is there may have to wait for the connection. */
const handshakeMs = 200;

/**
 * Asks one process, several questions at a time. A number in front of the empty delimiter comes
 * back with the answer, as the envelope of any ZeroMQ reply does.
 */
export class Requester {
  readonly #socket: Dealer;
  readonly #queue: SendQueue;
  readonly #open = new Map<string, Open>();
  #next = 1;
  /** Called when a connection ends that stood. */
  onDisconnect: () => void = () => {};
  onRefusal: (refusal: Refusal | undefined) => void = () => {};

  /**
   * @param waits whether a question waits for the connection as long as it may; else it fails soon
   * instead of being asked much later
   */
  constructor(endpoints: readonly string[], { waits = false } = {}) {
    const sendTimeout = waits ? -1 : handshakeMs;
    this.#socket = new Dealer({ ...socketOptions, linger: 0, immediate: true, sendTimeout });
    this.#queue = new SendQueue((frames) => this.#socket.send(frames));
    this.#socket.events.on("disconnect", () => this.onDisconnect());
    watchRefusals(this.#socket.events, endpoints, (refusal) => this.onRefusal(refusal));
    connect(this.#socket, endpoints);
    void receiveAll(this.#socket, (frames) => {
      const [number, , payload, seal] = frames;
      if (number !== undefined && payload !== undefined) {
        this.#take(number.toString("latin1"), { payload, seal });
      }
    });
  }

  /** @throws ProtocolError `unavailable` without an answer within `timeoutMs` */
  async ask(payload: Uint8Array, timeoutMs: number): Promise<Buffer> {
    return (await this.#ask([payload], timeoutMs)).payload;
  }

  /** The same as `ask`, since nothing here has a seal. */
  askUnsealed(payload: Uint8Array, timeoutMs: number): Promise<Buffer> {
    return this.ask(payload, timeoutMs);
  }

  /** @throws ProtocolError as `ask` */
  askSealed(payload: Uint8Array, seal: Uint8Array, timeoutMs: number): Promise<Answer> {
    return this.#ask([payload, seal], timeoutMs);
  }

  #ask(frames: readonly Uint8Array[], timeoutMs: number): Promise<Answer> {
    const number = String(this.#next);
    this.#next += 1;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#settle(number)?.reject(
          new ProtocolError("unavailable", `No answer came within ${timeoutMs} ms.`),
        );
      }, timeoutMs);
      const lateMs = now().steadyMs + timeoutMs;
      this.#open.set(number, { lateMs, resolve, reject, timer });
      this.#queue.push([number, "", ...frames], () => {
        this.#settle(number)?.reject(new ProtocolError("unavailable", "Nobody is connected."));
      });
    });
  }

  /** A process that was stopped finds answers before its timers: they are late all the same. */
  #take(number: string, answer: Answer): void {
    const open = this.#settle(number);
    if (open === undefined) return;
    if (now().steadyMs < open.lateMs) open.resolve(answer);
    else open.reject(new ProtocolError("unavailable", "The answer came too late."));
  }

  close(): void {
    this.#queue.close();
    this.#socket.close();
    for (const number of [...this.#open.keys()]) {
      this.#settle(number)?.reject(new ProtocolError("unavailable", "The connection was closed."));
    }
  }

  #settle(number: string): Open | undefined {
    const open = this.#open.get(number);
    this.#open.delete(number);
    clearTimeout(open?.timer);
    return open;
  }
}
