import { createHmac, type KeyObject, timingSafeEqual } from "node:crypto";
import type { LamportClock } from "../protocol/lamport-clock.ts";
import type { Refusals } from "./refusals.ts";
import { ReplayWindow } from "./replay-window.ts";

const macBytes = 32;
const nothing = Buffer.alloc(0);

/** The fields that a seal states about its message. */
interface Header {
  readonly counter: number;
  readonly sender: string;
  /** The topic, or the name of the process to which the question or answer is sent. */
  readonly to: string;
}

/** A received payload, and the frame after the payload. */
interface Sealed {
  readonly payload: Uint8Array;
  readonly seal: Uint8Array | undefined;
}

/**
 * A member's question. Its answer is sealed for this question, and is valid only for the member
 * that asked.
 */
export interface Question {
  readonly sender: string;
  readonly mac: Uint8Array;
}

interface SealsOptions {
  /** The key of each secret (O55). The first key makes seals; all keys are accepted. */
  readonly keys: readonly [KeyObject, ...KeyObject[]];
  /**
   * Returns this process's name. It is a function, because the name may become known only after the
   * first question is sent.
   */
  readonly self: () => string;
  readonly clock: LamportClock;
  readonly refusals: Refusals;
}

/**
 * The seals of one channel among members (X1). A seal is a frame after the payload, with a MAC and,
 * in plain text, counter, sender and receiver. Counters are Lamport clocks. A message is refused if
 * this process has received it before, or may have received it before its last start.
 *
 *     MAC (32 bytes) | "<counter> <sender> <to>"
 *     MAC = HMAC-SHA256(key, header, MAC of the answered question or nothing, payload);
 *           header and MAC each follow their length (4 bytes)
 */
export class Seals {
  readonly #options: SealsOptions;
  readonly #window: ReplayWindow;

  constructor(options: SealsOptions) {
    this.#options = options;
    this.#window = new ReplayWindow(options.clock.value);
  }

  /** @param to the topic, or the name of the process to which the question is sent */
  seal(to: string, payload: Uint8Array): Buffer {
    return this.#seal(to, nothing, payload);
  }

  /** Returns the seal of an answer; the seal is valid only for this question. */
  sealAnswer({ sender, mac }: Question, payload: Uint8Array): Buffer {
    return this.#seal(sender, mac, payload);
  }

  /**
   * Checks the seal of a publication. Proxies return this process's own publications; these are
   * ignored.
   * @returns the sender; undefined if the publication must be ignored
   */
  hear(topic: string, payload: Uint8Array, seal: Uint8Array | undefined): string | undefined {
    if (readHeader(seal)?.sender === this.#options.self()) return undefined;
    const opened = this.#open({ payload, seal }, nothing);
    if (opened === undefined) return undefined;
    return this.#isNew(opened, topic, "publication") ? opened.sender : undefined;
  }

  /**
   * Checks the seal of a question.
   * @returns the question, with the sender's Lamport clock; undefined if no member sent it. If the
   * question is not new, the caller answers with an empty payload, whose seal gives the asker the
   * clock for its next attempt
   */
  takeQuestion(
    payload: Uint8Array,
    seal: Uint8Array | undefined,
  ): (Question & { readonly isNew: boolean; readonly clock: number }) | undefined {
    const opened = this.#open({ payload, seal }, nothing);
    if (seal === undefined || opened?.to !== this.#options.self()) return undefined;
    const isNew = this.#isNew(opened, opened.to, "question");
    const { sender, counter: clock } = opened;
    return { sender, mac: seal.subarray(0, macBytes), isNew, clock };
  }

  /**
   * Checks the seal of an answer.
   * @param from the name of the member to which the question was sent
   * @param question the seal of the question
   */
  isAnswer(from: string, question: Uint8Array, answer: Sealed): boolean {
    const { self, clock } = this.#options;
    const opened = this.#open(answer, question.subarray(0, macBytes), from);
    if (opened === undefined || opened.sender !== from || opened.to !== self()) return false;
    clock.receive(opened.counter);
    return true;
  }

  #seal(to: string, question: Uint8Array, payload: Uint8Array): Buffer {
    const { self, clock } = this.#options;
    const header = Buffer.from(`${clock.tick()} ${self()} ${to}`);
    const front = frontOf(header, question);
    return Buffer.concat([macOf(this.#options.keys[0], front, payload), header]);
  }

  /** @param from the name, for the log, of the member to which the question was sent */
  #open({ payload, seal }: Sealed, question: Uint8Array, from?: string): Header | undefined {
    const header = readHeader(seal);
    if (seal !== undefined && header !== undefined) {
      const front = frontOf(seal.subarray(macBytes), question);
      const mac = seal.subarray(0, macBytes);
      for (const key of this.#options.keys) {
        if (timingSafeEqual(mac, macOf(key, front, payload))) return header;
      }
    }
    this.#options.refusals.forged(from ?? header?.sender, seal !== undefined);
    return undefined;
  }

  #isNew({ counter, sender, to }: Header, wanted: string, kind: "publication" | "question") {
    const verdict = to === wanted ? this.#window.take(sender, counter) : "old";
    if (verdict === "new") {
      this.#options.clock.receive(counter);
      return true;
    }
    // With two proxies every publication arrives twice, so the second copy is not logged.
    if (verdict === "old" || kind === "question") this.#options.refusals.stale(sender);
    return false;
  }
}

/** Returns the bytes in front of the payload, over which the MAC is made as well. */
function frontOf(header: Uint8Array, question: Uint8Array): Buffer {
  const front = Buffer.allocUnsafe(4 + header.length + 4 + question.length);
  front.writeUInt32BE(header.length, 0);
  front.set(header, 4);
  front.writeUInt32BE(question.length, 4 + header.length);
  front.set(question, 8 + header.length);
  return front;
}

function macOf(key: KeyObject, front: Uint8Array, payload: Uint8Array): Buffer {
  return createHmac("sha256", key).update(front).update(payload).digest();
}

const headerPattern = /^(\d{1,16}) ([\p{L}\p{N}_.-]{1,64}) ([\p{L}\p{N}_.-]{1,64})$/u;
const longestHeader = 600;

function readHeader(seal: Uint8Array | undefined): Header | undefined {
  if (seal === undefined || seal.length <= macBytes || seal.length > longestHeader)
    return undefined;
  const text = Buffer.from(seal.buffer, seal.byteOffset, seal.length).toString("utf8", macBytes);
  const [, counter, sender, to] = headerPattern.exec(text) ?? [];
  if (sender === undefined || to === undefined) return undefined;
  const number = Number(counter);
  return Number.isSafeInteger(number) ? { counter: number, sender, to } : undefined;
}
