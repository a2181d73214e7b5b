import { now } from "../platform/clock.ts";
import { processId } from "../platform/host.ts";
import { ownVersion } from "../platform/version.ts";
import { encode } from "../protocol/codec.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { type LamportClock, parseClock } from "../protocol/lamport-clock.ts";
import { durations } from "../protocol/limits.ts";
import { isOurList } from "../protocol/parse-list.ts";
import { parseReferenceReply } from "../protocol/parse-reference.ts";
import type { HeartbeatReport, Role } from "../protocol/reference-messages.ts";
import { isoTime } from "../protocol/time.ts";
import type { Refusal } from "./connection-refusal.ts";
import type { ReferenceWatch } from "./reference-watch.ts";
import { Requester } from "./requester.ts";
import type { Seals } from "./seal.ts";

/** The name of the reference; a cluster has only one reference. */
export const referenceName = "reference";

interface ReferenceLinkOptions {
  /** A member's seals. Without seals the process is a guest, and its reports decide nothing. */
  readonly seals?: Seals;
  /**
   * If given, the link checks which kind of reference answers before it asks its first question.
   */
  readonly watch?: ReferenceWatch;
}

/**
 * Milliseconds after which the link checks again whether a reference of this project has replaced a
 * reference of the original protocol.
 */
const foreignMs = 2_000;

export class ReferenceLink {
  readonly #requester: Requester;
  readonly #clock: LamportClock;
  readonly #isMember: boolean;
  /** Why the reference refuses the connection; undefined if it does not. */
  refusal: Refusal | undefined;
  onRefusal: (refusal: Refusal | undefined) => void = () => {};
  readonly #watch: ReferenceWatch | undefined;
  /**
   * The latest check of which kind of reference answers. It resolves if a reference of this project
   * answered.
   */
  #recognition: Promise<void> | undefined;
  /** Steady time of the next check. */
  #nextLookMs = Number.NEGATIVE_INFINITY;

  constructor(
    endpoints: readonly string[],
    clock: LamportClock,
    { seals, watch }: ReferenceLinkOptions = {},
  ) {
    this.#watch = watch;
    const sealing = seals && { seals, to: referenceName };
    this.#requester = new Requester(endpoints, { sealing });
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
   * Sends a question, and raises the clock above the reply's clock.
   * @returns the fields of the reply
   * @throws ProtocolError that the reference sent, or `unavailable` if the reference did not answer
   */
  async ask(
    service: string,
    data: Readonly<Record<string, unknown>>,
    timeoutMs: number = durations.peerRequestMs,
  ): Promise<Readonly<Record<string, unknown>>> {
    if (this.#watch !== undefined) await this.#recognize(this.#watch, timeoutMs);
    const reply = await this.#requester.ask(this.#encode(service, data), timeoutMs);
    const fields = parseReferenceReply(reply);
    // For a member, the check of the reply's seal has already raised the clock.
    if (!this.#isMember) this.#clock.receiveFromAnyone(parseClock(fields.clock) ?? 0);
    return fields;
  }

  /** From now on, a silent reference is not logged: it may stop together with this process. */
  expectSilence(): void {
    this.#watch?.expectSilence();
  }

  close(): void {
    this.#requester.close();
  }

  /**
   * Checks which kind of reference answers. A reference of the original protocol is a REP, which
   * fails on a seal, because a seal is a second frame. So the first question asks for the list
   * without a seal, and the reply shows the kind of reference.
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
      // `onRefusal` logs a refused connection, so it is not logged as silence.
      if (this.refusal === undefined) watch.silent();
      throw error;
    }
    const isOurs = isOurReply(reply);
    watch.answered(isOurs ? "ours" : "foreign");
    if (isOurs) return;
    // Without this pause every heartbeat would repeat the check, too often for another author's
    // program.
    this.#nextLookMs = now().steadyMs + foreignMs;
    throw new ProtocolError("unsupported", "The reference speaks only the original protocol.");
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

/** Sends a heartbeat to the reference twice a second, so that `status` shows this process. */
export function reportPresence(
  link: ReferenceLink,
  { name, ...who }: { readonly name: string; readonly role: Role } & Partial<HeartbeatReport>,
): Disposable {
  const report: HeartbeatReport = { version: ownVersion(), user: name, ...who, pid: processId };
  const beat = () => {
    // The error of a failed heartbeat is ignored, because the next heartbeat follows half a second
    // later.
    link.ask("heartbeat", { ...report }).catch(() => {});
  };
  beat();
  const timer = setInterval(beat, durations.heartbeatMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
