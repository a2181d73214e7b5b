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

/**
 * The destination of an answer. `question` is undefined only for a `health` request without a seal.
 */
interface PeerReply {
  readonly envelope: Envelope;
  readonly question: Question | undefined;
}

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
  /** Makes and checks the seals of messages on peer links. */
  readonly seals: Seals;
  readonly disk: Store;
  /**
   * Returns the reason why the server serves no client; undefined while the server serves clients.
   */
  unready(): string | undefined;
  onInput(input: Input & { readonly type: "syncRequest" | "ack" | "coordinationRequest" }): void;
  onGuest(): void;
  onDropped(error: unknown): void;
}

/** The most bytes of a message without a seal: more than any `health` request has. */
export const healthBytes = 256;

/** Receives the peers' requests to this server, and sends the answers. */
export class PeerWire {
  readonly #parts: PeerWireParts;
  /** The newest unanswered `sync` request of each peer. */
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
    // A message without a seal can only be a request for `health`, so a longer message is dropped
    // unread.
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
      case "ack":
        return onInput({ type: "ack", summary: request });
      default:
        onInput({ type: "coordinationRequest", to, request });
    }
  }

  /** Answers `health`. Anybody may ask, so the request changes nothing, not even the clock. */
  #answerHealth(to: PeerReply): void {
    this.#send(to, healthReply(this.#parts));
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

  /**
   * Answers the waiting `sync` requests one after the other. A peer has at most one waiting
   * request, so a peer that asks too often delays no other peer.
   */
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
      // If the requested page no longer exists, the answer is an error, and the asking server must
      // begin to fetch a newer state.
      const data = { clock: clock.tick(), ...(page ?? { status: "erro", code: "unavailable" }) };
      this.#send(to, encode({ service: "snapshot", data }));
    } catch (error) {
      log.error(`The saved state can't be read: ${(error as Error).message}`);
    }
  }
}

/** Returns the reply to `health`, from which also an operator's probe sees whether the server serves. */
export function healthReply({
  clock,
  name,
  unready,
}: Pick<PeerWireParts, "clock" | "name" | "unready">): Uint8Array {
  const reason = unready();
  const ready = reason === undefined;
  const data = { status: "OK", name, role: "server", ready, reason, clock: clock.value };
  return encode({ service: "health", data });
}

/** @param found the result of `Store.read` */
export function syncAnswer(
  summary: ReplicaSummary,
  found: { readonly lines: string[]; readonly more: boolean } | undefined,
): SyncAnswer {
  const { lines, more } = found ?? { lines: [], more: true };
  return { ...summary, lines, more, compacted: found === undefined };
}

/**
 * Checks that a message and its seal name the same sender.
 * @throws PeerMessageError if the two senders differ
 */
export function assertSender(named: string | undefined, sender: string | undefined): void {
  if (named === sender) return;
  throw new PeerMessageError(`it says ${named}, and its seal ${sender}`);
}
