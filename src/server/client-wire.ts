import { BrokeredResponder } from "../net/brokered-responder.ts";
import type { Envelope } from "../net/envelope.ts";
import { GatewaySeals } from "../net/gateway-seal.ts";
import { Sessions } from "../net/sessions.ts";
import { now } from "../platform/clock.ts";
import type { RequestLog } from "../platform/log.ts";
import type { Secret } from "../platform/secret.ts";
import type { Incoming, SentReply } from "../protocol/client-messages.ts";
import { encode, type Format } from "../protocol/codec.ts";
import { limits, tagBytes } from "../protocol/limits.ts";
import { parsePayload, type RequestParsers } from "../protocol/parse-message.ts";
import type { Auth } from "./core/accounts/access.ts";
import type { Effect, Input } from "./core/effects.ts";
import type { Recorder } from "./measure.ts";

interface ClientReply {
  readonly envelope: Envelope;
  /** Steady time at which the payload arrived. */
  readonly heardMs: number;
  readonly format: Format;
}

type ReplyEffect = Effect & { readonly type: "reply" };

export interface ClientWireParts {
  readonly auth: Auth;
  readonly secret: Secret;
  readonly brokers: readonly string[];
  readonly log: Pick<RequestLog, "write">;
  readonly parsers: RequestParsers;
  onRequests(input: Input & { readonly type: "requests" }): void;
  onAnswered: Recorder["answered"];
}

/** Receives clients' requests from the brokers, and sends the replies back. */
export class ClientWire {
  readonly #parts: ClientWireParts;
  readonly #responder: BrokeredResponder;
  readonly #sessions: Sessions;
  readonly #gateways: GatewaySeals;
  #disconnecting: Promise<void>[] = [];

  constructor(parts: ClientWireParts) {
    this.#parts = parts;
    this.#sessions = new Sessions(parts.secret.deriveKeys("token"));
    this.#gateways = new GatewaySeals(parts.secret.deriveKeys("gateway"));
    this.#responder = new BrokeredResponder((to, payload) => this.#take(to, payload));
  }

  start(): void {
    this.#responder.start();
  }

  #take(envelope: Envelope, bytes: Buffer): void {
    const { auth, log, parsers, onRequests } = this.#parts;
    const { format, batch, requests: parsed } = parsePayload(bytes, parsers);
    const isSealed = this.#gateways.isSealed(envelope, bytes);
    const isTrue = isSealed || !parsed.some(statesVia);
    const requests = isTrue ? parsed : parsed.map((request) => ({ ...request, via: undefined }));
    for (const request of requests) {
      // A gateway asks for the status twice a second, for no person.
      const level = isSealed && !statesVia(request) ? "debug" : "info";
      log.write(level, `Recebido: ${request.service}`);
    }
    const to: ClientReply = { envelope, format, heardMs: now().steadyMs };
    const proven = this.#proven(requests, auth);
    const connection = connectionOf(envelope);
    onRequests({ type: "requests", to, batch, connection, requests: proven });
  }

  /**
   * Checks the token of each request, and adds the session that a valid token proves. In an open
   * cluster nobody has a session but the operator, in whose name the cluster's own processes ask.
   */
  #proven(requests: readonly Incoming[], auth: Auth): Incoming[] {
    return requests.map((request) => {
      if (!("token" in request) || request.token === undefined) return request;
      const session = this.#sessions.check(request.token);
      const isKnown = auth === "required" || session?.isOperator === true;
      return { ...request, session: isKnown ? session : undefined };
    });
  }

  /** Puts a new token in place of each session that a reply grants, then sends the replies. */
  reply(effect: ReplyEffect): void {
    for (const { data } of effect.replies) {
      const { grant } = data;
      if (grant === undefined) continue;
      delete data.grant;
      data.token = this.#sessions.give(grant, Date.parse(data.timestamp));
    }
    const { envelope, format, heardMs } = effect.to as ClientReply;
    const { bytes, sent } = encodeReplies(effect, format);
    this.#responder.reply(envelope, bytes);
    this.#parts.onAnswered(sent, (now().steadyMs - heardMs) / 1_000);
  }

  rotate(joined: boolean): void {
    const { brokers } = this.#parts;
    this.#disconnecting = joined ? [] : brokers.map((one) => this.#responder.disconnect(one));
    if (joined) this.#responder.connect(...brokers);
  }

  /** Closes the sockets after all requests that were received are answered (R11). */
  async close(): Promise<void> {
    await Promise.all(this.#disconnecting);
    await this.#responder.close();
  }
}

function statesVia(request: Incoming): boolean {
  return "via" in request && request.via !== undefined;
}

/**
 * Returns the key by which the limits of A9 tell client connections apart. It consists of the
 * broker's frame and the first half of the tag, which identifies a connection of that broker (B1).
 */
function connectionOf([broker, tag]: Envelope): string {
  const client = tag?.length === tagBytes ? tag.subarray(0, tagBytes / 2) : tag;
  return `${broker?.toString("latin1")} ${client?.toString("latin1")}`;
}

/**
 * Encodes the replies. If they are larger than `limits.frameBytes`, encodes an error in place of
 * each reply, because the broker closes a connection that sends a larger frame.
 * @returns also the replies that are in the bytes
 */
function encodeReplies({ batch, replies }: ReplyEffect, format: Format) {
  const encoded = (sent: readonly SentReply[]) => {
    return { bytes: encode(batch ? sent : sent[0], format), sent };
  };
  const whole = encoded(replies);
  if (whole.bytes.byteLength <= limits.frameBytes) return whole;
  const description = `The reply is above ${limits.frameBytes} bytes: ask for less at once.`;
  const error = { status: "erro", code: "too_large", description, retry: false } as const;
  return encoded(
    replies.map(({ service, data: { id, server, clock, timestamp } }) => {
      return { service, data: { ...error, ...(id && { id }), server, clock, timestamp } };
    }),
  );
}
