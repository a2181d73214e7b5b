import { now } from "../platform/clock.ts";
import { processId } from "../platform/host.ts";
import { encode } from "../protocol/codec.ts";
import type { LamportClock } from "../protocol/lamport-clock.ts";
import { parseClock } from "../protocol/lamport-clock.ts";
import { durations } from "../protocol/limits.ts";
import type { HeartbeatReport, Role } from "../protocol/messages.ts";
import { parseReferenceReply } from "../protocol/parse-reference.ts";
import { isoTime } from "../protocol/time.ts";
import type { Refusal } from "./handshake.ts";
import { Requester } from "./requester.ts";
import type { Seals } from "./seal.ts";
import { SealedRequester } from "./sealed-requester.ts";

/** The reference's name: there is one. */
export const referenceName = "reference";

/** A process's connection to the reference. */
export class ReferenceLink {
  readonly #requester: Requester | SealedRequester;
  readonly #clock: LamportClock;
  readonly #isMember: boolean;
  /** Why it is not connected, if the reference does not take it. */
  refusal: Refusal | undefined;
  onRefusal: (refusal: Refusal | undefined) => void = () => {};

  /** @param seals a member's; without them the process is a guest, who may ask but not decide */
  constructor(endpoints: readonly string[], clock: LamportClock, seals?: Seals) {
    this.#requester =
      seals === undefined
        ? new Requester(endpoints)
        : new SealedRequester(endpoints, seals, referenceName);
    this.#requester.onRefusal = (refusal) => {
      this.refusal = refusal;
      this.onRefusal(refusal);
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
    const sent = { ...data, clock: this.#clock.tick(), timestamp: isoTime(now().wallMs) };
    const reply = await this.#requester.ask(encode({ service, data: sent }), timeoutMs);
    const fields = parseReferenceReply(reply);
    // Of a member the seal has told the clock already.
    if (!this.#isMember) this.#clock.receiveFromAnyone(parseClock(fields.clock) ?? 0);
    return fields;
  }

  close(): void {
    this.#requester.close();
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
