import { now } from "../platform/clock.ts";
import { processId } from "../platform/host.ts";
import { encode } from "../protocol/codec.ts";
import { ProtocolError } from "../protocol/errors.ts";
import type { LamportClock } from "../protocol/lamport-clock.ts";
import { parseClock } from "../protocol/lamport-clock.ts";
import { durations } from "../protocol/limits.ts";
import type { HeartbeatReport, Role } from "../protocol/messages.ts";
import { isOurList, parseReferenceReply } from "../protocol/parse-reference.ts";
import { isoTime } from "../protocol/time.ts";
import type { Refusal } from "./handshake.ts";
import type { ReferenceWatch } from "./reference-watch.ts";
import { Requester } from "./requester.ts";
import type { Seals } from "./seal.ts";
import { SealedRequester } from "./sealed-requester.ts";

/** The reference's name: there is one. */
export const referenceName = "reference";

interface ReferenceLinkOptions {
  /** A member's; without them the process is a guest, who may ask but not decide. */
  readonly seals?: Seals;
  /** With it the link looks what is there before it says anything, and tells it. */
  readonly watch?: ReferenceWatch;
}

/** How often a reference of the original protocol is asked whether it still is one. */
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
  /** Resolves once a reference of ours has answered. */
  #meeting: Promise<void> | undefined;
  /** Steady time of the next look at which reference answers. */
  #lookAgainMs = Number.NEGATIVE_INFINITY;

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
      this.#lookAgainMs = Number.NEGATIVE_INFINITY;
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
    if (this.#watch !== undefined) await this.#meet(this.#watch, timeoutMs);
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
   * A seal is a frame that a REP of the original protocol does not expect: before anything is sealed,
   * the reference shows by its list whose it is.
   */
  #meet(watch: ReferenceWatch, timeoutMs: number): Promise<void> {
    if (this.#meeting === undefined || now().steadyMs >= this.#lookAgainMs) {
      this.#lookAgainMs = Number.POSITIVE_INFINITY;
      this.#meeting = this.#look(watch, timeoutMs);
    }
    return this.#meeting;
  }

  async #look(watch: ReferenceWatch, timeoutMs: number): Promise<void> {
    let reply: Buffer;
    try {
      reply = await this.#requester.askOpenly(this.#encode("list", {}), timeoutMs);
    } catch (error) {
      this.#lookAgainMs = Number.NEGATIVE_INFINITY;
      // Of a refusal the log tells itself.
      if (this.refusal === undefined) watch.silent();
      throw error;
    }
    const isOurs = isOurReply(reply);
    watch.answered(isOurs ? "ours" : "foreign");
    if (isOurs) return;
    // Another author's program is asked less often than a heartbeat would ask it.
    this.#lookAgainMs = now().steadyMs + foreignMs;
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
