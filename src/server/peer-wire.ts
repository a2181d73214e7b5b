import type { Envelope } from "../net/envelope.ts";
import type { Responder } from "../net/responder.ts";
import type { Question, Seals } from "../net/seal.ts";
import type { Log } from "../platform/log.ts";
import { encode } from "../protocol/codec.ts";
import { encodePeerMessage, encodeSyncAnswer } from "../protocol/encode-peer.ts";
import { PeerMessageError } from "../protocol/errors.ts";
import type { ServerName } from "../protocol/ids.ts";
import type { LamportClock } from "../protocol/lamport-clock.ts";
import { parsePeerRequest } from "../protocol/parse-peer.ts";
import type {
  PeerRequest,
  ReplicaSummary,
  SnapshotRequest,
  SyncAnswer,
} from "../protocol/peer-messages.ts";
import type { Store } from "../storage/store.ts";
import type { Effect, Input } from "./core/effects.ts";

/** Where the answer to a peer goes: its question is sealed, but for `health`. */
interface PeerReply {
  readonly envelope: Envelope;
  readonly question: Question | undefined;
}

/** A message as it comes to the peer link. */
export interface PeerMessage {
  readonly envelope: Envelope;
  readonly payload: Buffer;
  readonly seal: Buffer | undefined;
}

type AnswerSync = Effect & { readonly type: "answerSync" };

export interface PeerWireParts {
  readonly name: ServerName;
  readonly clock: LamportClock;
  readonly log: Log;
  readonly responder: Responder;
  /** Those of the peer links. */
  readonly seals: Seals;
  readonly disk: Store;
  /** Why no client is served, if so. */
  unready(): string | undefined;
  onInput(input: Input & { readonly type: "syncRequest" | "coordinationRequest" }): void;
  onGuest(): void;
  onDropped(error: unknown): void;
}

/** `health` has less. */
const healthBytes = 256;

/** The peers' questions to this server, and its answers. */
export class PeerWire {
  readonly #parts: PeerWireParts;
  /** The newest question of each peer that is still to be answered. */
  readonly #syncs = new Map<ServerName, AnswerSync>();
  #isAnsweringSyncs = false;

  constructor(parts: PeerWireParts) {
    this.#parts = parts;
  }

  take({ envelope, payload, seal }: PeerMessage): void {
    const { seals, onGuest, onDropped, onInput } = this.#parts;
    const question = seal && seals.takeQuestion(payload, seal);
    if (seal !== undefined && question === undefined) return;
    const to: PeerReply = { envelope, question };
    if (question?.isNew === false) return this.#send(to, Buffer.alloc(0));
    // What has no seal is worth reading only if it can be `health`.
    if (question === undefined && payload.length > healthBytes) return onGuest();
    let request: PeerRequest;
    try {
      request = parsePeerRequest(payload);
      assertSender("server" in request ? request.server : question?.sender, question?.sender);
    } catch (error) {
      return onDropped(error);
    }
    if (request.service === "health") return this.#answerHealth(to);
    if (question === undefined) return onGuest();
    switch (request.service) {
      case "snapshot":
        void this.#answerSnapshot(to, request);
        return;
      case "sync":
        return onInput({ type: "syncRequest", to, request });
      default:
        onInput({ type: "coordinationRequest", to, request });
    }
  }

  /** Anybody may ask: nothing changes by it, not even the clock. */
  #answerHealth(to: PeerReply): void {
    const { clock, name, unready } = this.#parts;
    const reason = unready();
    const ready = reason === undefined;
    const data = { status: "OK", name, role: "server", ready, reason, clock: clock.value };
    this.#send(to, encode({ service: "health", data }));
  }

  answer({ to, answer }: Effect & { readonly type: "answerPeer" }): void {
    this.#send(to as PeerReply, encodePeerMessage(answer));
  }

  #send({ envelope, question }: PeerReply, payload: Uint8Array): void {
    const { responder, seals } = this.#parts;
    responder.reply(envelope, payload, question && seals.sealAnswer(question, payload));
  }

  answerSync(effect: AnswerSync): void {
    this.#syncs.set(effect.from, effect);
    void this.#answerSyncs();
  }

  /** One after the other: a peer that asks more often than it reads costs nobody else. */
  async #answerSyncs(): Promise<void> {
    if (this.#isAnsweringSyncs) return;
    this.#isAnsweringSyncs = true;
    for (const [asker, { to, summary, since }] of this.#syncs) {
      this.#syncs.delete(asker);
      try {
        const found = await this.#parts.disk.read(since, summary.durable);
        this.#send(to as PeerReply, encodeSyncAnswer(syncAnswer(summary, found)));
      } catch (error) {
        const { message } = error as Error;
        this.#parts.log.error(`The journal can't be read for ${asker}: ${message}`);
      }
    }
    this.#isAnsweringSyncs = false;
  }

  async #answerSnapshot(to: PeerReply, request: SnapshotRequest): Promise<void> {
    const { clock, disk, log } = this.#parts;
    try {
      const page = await disk.page(request);
      // Without a page the asker learns that it has to begin with another state.
      const data = { clock: clock.tick(), ...(page ?? { status: "erro", code: "unavailable" }) };
      this.#send(to, encode({ service: "snapshot", data }));
    } catch (error) {
      log.error(`The saved state can't be read: ${(error as Error).message}`);
    }
  }
}

/** @param found as `Store.read` gives it */
export function syncAnswer(
  summary: ReplicaSummary,
  found: { readonly lines: string[]; readonly more: boolean } | undefined,
): SyncAnswer {
  const { lines, more } = found ?? { lines: [], more: true };
  return { ...summary, lines, more, compacted: found === undefined };
}

/** A member speaks for itself alone. @throws PeerMessageError */
export function assertSender(named: string | undefined, sender: string | undefined): void {
  if (named === sender) return;
  throw new PeerMessageError(`it says ${named}, and its seal ${sender}`);
}
