import { now } from "../platform/clock.ts";
import { processId } from "../platform/host.ts";
import { encode } from "../protocol/codec.ts";
import { ProtocolError } from "../protocol/errors.ts";
import type { LamportClock } from "../protocol/lamport-clock.ts";
import { parseClock } from "../protocol/lamport-clock.ts";
import { durations } from "../protocol/limits.ts";
import { isOurList, parseReferenceReply } from "../protocol/parse-reference.ts";
import type { HeartbeatReport, Role } from "../protocol/reference-messages.ts";
import { isoTime } from "../protocol/time.ts";
import type { Refusal } from "./handshake.ts";
import type { ReferenceWatch } from "./reference-watch.ts";
import { Requester } from "./requester.ts";
import type { Seals } from "./seal.ts";
import { SealedRequester } from "./sealed-requester.ts";

/** The reference's name: there is one. */
export const referenceName = "reference";

interface ReferenceLinkOptions {
  /** A member's seals; without them the process is a guest, which may ask but not decide. */
  readonly seals?: Seals;
  /** If given, the link finds out which kind of reference answers before its first question. */
  readonly watch?: ReferenceWatch;
}

/**
 * Pause between two looks at a reference of the original protocol: ours may have taken its place.
 */
const foreignMs = 2_000;

/** A process's connection to the reference. */
export class ReferenceLink {
  readonly #requester: Requester | SealedRequester;
  readonly #clock: LamportClock;
  readonly #isMember: boolean;
  /** Why it is not connected, if the reference does not take it. */
  refusal: Refusal | undefined;
  onRefusal: (refusal: Refusal | undefined) => void = () => {};
  readonly #watch: ReferenceWatch | undefined;
  /** The last look: resolves if a reference of ours has answered. */
  #recognition: Promise<void> | undefined;
  /** Steady time of the next look. */
  #nextLookMs = Number.NEGATIVE_INFINITY;

  constructor(
    endpoints: readonly string[],
    clock: LamportClock,
    { seals, watch }: ReferenceLinkOptions = {},
  ) {
    this.#watch = watch;
    this.#requester =
      seals === undefined
        ? new Requester(endpoints)
        : new SealedRequester(endpoints, seals, referenceName);
    this.#requester.onRefusal = (refusal) => {
      this.refusal = refusal;
      this.onRefusal(refusal);
    };
    this.#requester.onDisconnect = () => {
      this.#nextLookMs = Number.NEGATIVE_INFINITY;
    };
    this.#clock = clock;
    this.#isMember = seals !== undefined;
  }

  /**
   * @returns the reply's fields; its clock is received
   * @throws ProtocolError as the reference told it, or `unavailable` if it did not answer
   */
  async ask(
    service: string,
    data: Readonly<Record<string, unknown>>,
    timeoutMs: number = durations.peerRequestMs,
  ): Promise<Readonly<Record<string, unknown>>> {
    if (this.#watch !== undefined) await this.#recognize(this.#watch, timeoutMs);
    const reply = await this.#requester.ask(this.#encode(service, data), timeoutMs);
    const fields = parseReferenceReply(reply);
    // Of a member the seal has told the clock already.
    if (!this.#isMember) this.#clock.receiveFromAnyone(parseClock(fields.clock) ?? 0);
    return fields;
  }

  close(): void {
    this.#requester.close();
  }

  /**
   * A REP of the original protocol breaks at a seal, which is a second frame. So the first
   * question, for the list, has none: the reply shows which kind of reference this is.
   */
  #recognize(watch: ReferenceWatch, timeoutMs: number): Promise<void> {
    if (this.#recognition === undefined || now().steadyMs >= this.#nextLookMs) {
      this.#nextLookMs = Number.POSITIVE_INFINITY;
      this.#recognition = this.#look(watch, timeoutMs);
    }
    return this.#recognition;
  }

  async #look(watch: ReferenceWatch, timeoutMs: number): Promise<void> {
    let reply: Buffer;
    try {
      reply = await this.#requester.askUnsealed(this.#encode("list", {}), timeoutMs);
    } catch (error) {
      this.#nextLookMs = Number.NEGATIVE_INFINITY;
      // A refused connection is logged elsewhere (`onRefusal`).
      if (this.refusal === undefined) watch.silent();
      throw error;
    }
    const isOurs = isOurReply(reply);
    watch.answered(isOurs ? "ours" : "foreign");
    if (isOurs) return;
    // Every heartbeat would ask again, too often for another author's program.
    this.#nextLookMs = now().steadyMs + foreignMs;
    const sentence = "The reference speaks only the original protocol.";
    throw new ProtocolError("unsupported", sentence);
  }

  #encode(service: string, data: Readonly<Record<string, unknown>>): Uint8Array {
    const clock = this.#clock.tick();
    return encode({ service, data: { ...data, clock, timestamp: isoTime(now().wallMs) } });
  }
}

function isOurReply(payload: Uint8Array): boolean {
  try {
    return isOurList(parseReferenceReply(payload));
  } catch {
    return false;
  }
}

/** Tells the reference twice a second that a process is there, so that `status` shows it. */
export function reportPresence(
  link: ReferenceLink,
  { name, ...who }: { readonly name: string; readonly role: Role } & Partial<HeartbeatReport>,
): Disposable {
  const report: HeartbeatReport = { user: name, ...who, pid: processId };
  const beat = () => {
    // A reference that is down is told again half a second later.
    link.ask("heartbeat", { ...report }).catch(() => {});
  };
  beat();
  const timer = setInterval(beat, durations.heartbeatMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
