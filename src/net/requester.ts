import { now } from "../platform/clock.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { limits } from "../protocol/limits.ts";
import type { Refusal } from "./connection-refusal.ts";
import { Dealer } from "./dealer.ts";
import type { Seals } from "./seal.ts";

interface Answer {
  readonly payload: Buffer;
  /** The frame after the payload. */
  readonly seal: Buffer | undefined;
}

interface Open {
  /** Steady time from which an answer is too late. */
  readonly lateMs: number;
  resolve(answer: Answer): void;
  reject(error: ProtocolError): void;
  readonly timer: NodeJS.Timeout;
}

interface RequesterOptions {
  /**
   * Whether a question may wait for a connection until its timeout. Otherwise it fails after
   * `connectMs` without a connection, so that it is never sent late.
   */
  readonly waits?: boolean;
  /**
   * If given, questions are sealed, and only sealed answers of the member `to` are accepted (X1).
   */
  readonly sealing?: { readonly seals: Seals; readonly to: string } | undefined;
}

/**
 * How long a question waits for the connection, in milliseconds. A handshake with a running process
 * takes less time.
 */
const connectMs = 200;
/**
 * The most attempts for one question. If this process's clock lags, the other process does not take
 * the question, and its answer only brings a newer clock. The second attempt may fail too, because
 * other processes may have raised their clocks in the meantime.
 */
const mostTries = 3;

/** The number in front of a message that has no answer. Questions have numbers from 1. */
const unanswered = Buffer.from("0");
const delimiter = Buffer.alloc(0);

/**
 * Sends questions to one process; several may be open at a time. Each question has a number in
 * front of the empty delimiter. The answer repeats the number, because a ZeroMQ reply repeats the
 * request's envelope.
 */
export class Requester {
  readonly #dealer: Dealer;
  readonly #waits: boolean;
  readonly #sealing: RequesterOptions["sealing"];
  readonly #open = new Map<string, Open>();
  /** The open questions that no peer has taken yet. */
  readonly #unsent = new Map<string, readonly Uint8Array[]>();
  #next = 1;
  #connections = 0;
  #isClosed = false;
  /** Called when an established connection ends. */
  onDisconnect: () => void = () => {};
  onRefusal: (refusal: Refusal | undefined) => void = () => {};

  constructor(endpoints: readonly string[], { waits = false, sealing }: RequesterOptions = {}) {
    this.#waits = waits;
    this.#sealing = sealing;
    this.#dealer = new Dealer(endpoints, {
      onMessage: ([number, , payload, seal]) => {
        if (number !== undefined && payload !== undefined) {
          this.#take(number.toString("latin1"), { payload, seal });
        }
      },
      onConnections: (count) => {
        const isLess = count < this.#connections;
        this.#connections = count;
        if (isLess) this.onDisconnect();
      },
      onSendable: () => this.#sendUnsent(),
      onRefusal: (refusal) => this.onRefusal(refusal),
    });
  }

  /** @throws ProtocolError `unavailable` if no acceptable answer comes within `timeoutMs` */
  async ask(payload: Uint8Array, timeoutMs: number): Promise<Buffer> {
    if (this.#sealing === undefined) return this.askUnsealed(payload, timeoutMs);
    const { seals, to } = this.#sealing;
    for (let tries = 0; tries < mostTries; tries += 1) {
      const seal = seals.seal(to, payload);
      const answer = await this.#ask([payload, seal], timeoutMs);
      if (!seals.isAnswer(to, seal, answer))
        throw unavailable(`Another process than ${to} answered.`);
      if (answer.payload.length > 0) return answer.payload;
    }
    throw unavailable(`${to} has not taken the question.`);
  }

  /**
   * Sends an unsealed question, for a process that may not know seals.
   * @throws ProtocolError as `ask`
   */
  async askUnsealed(payload: Uint8Array, timeoutMs: number): Promise<Buffer> {
    return (await this.#ask([payload], timeoutMs)).payload;
  }

  /**
   * Sends a sealed message that has no answer. @returns false if the process is not connected; the
   * message is then not sent, and delays no question
   */
  tell(payload: Uint8Array): boolean {
    const { seals, to } = this.#sealing ?? {};
    if (seals === undefined || to === undefined || this.#connections === 0) return false;
    return this.#dealer.send([unanswered, delimiter, payload, seals.seal(to, payload)]);
  }

  #ask(frames: readonly Uint8Array[], timeoutMs: number): Promise<Answer> {
    const number = String(this.#next);
    this.#next += 1;
    return new Promise((resolve, reject) => {
      const fail = (why: string) => this.#settle(number)?.reject(unavailable(why));
      const timer = setTimeout(() => fail(`No answer came within ${timeoutMs} ms.`), timeoutMs);
      const lateMs = now().steadyMs + timeoutMs;
      this.#open.set(number, { lateMs, resolve, reject, timer });
      const question = [Buffer.from(number), delimiter, ...frames];
      if (this.#isClosed) return fail("The connection was closed.");
      if (this.#unsent.size === 0 && this.#dealer.send(question)) return;
      if (this.#unsent.size >= limits.sendQueueMessages) return fail("Too many questions wait.");
      this.#unsent.set(number, question);
      if (this.#waits) return;
      const giveUp = () => this.#unsent.has(number) && fail("No peer took the question.");
      setTimeout(giveUp, connectMs);
    });
  }

  #sendUnsent(): void {
    for (const [number, question] of this.#unsent) {
      if (!this.#dealer.send(question)) return;
      this.#unsent.delete(number);
    }
  }

  /**
   * Handles an answer. After SIGSTOP, answers are read before the timers of their questions run, so
   * this method checks the time as well.
   */
  #take(number: string, answer: Answer): void {
    const open = this.#settle(number);
    if (open === undefined) return;
    if (now().steadyMs < open.lateMs) open.resolve(answer);
    else open.reject(unavailable("The answer came too late."));
  }

  close(): void {
    this.#isClosed = true;
    this.#dealer.close();
    for (const number of [...this.#open.keys()]) {
      this.#settle(number)?.reject(unavailable("The connection was closed."));
    }
  }

  #settle(number: string): Open | undefined {
    const open = this.#open.get(number);
    this.#open.delete(number);
    this.#unsent.delete(number);
    clearTimeout(open?.timer);
    return open;
  }
}

function unavailable(why: string): ProtocolError {
  return new ProtocolError("unavailable", why);
}
