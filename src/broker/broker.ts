import type { Exchange, ExchangeOptions } from "../forwarder/forwarder.ts";
import { unwrap } from "../net/envelope.ts";
import { messageBounds } from "../net/listener.ts";
import type { Peer } from "../net/wire.ts";
import { now } from "../platform/clock.ts";
import type { Metrics } from "../platform/metrics.ts";
import { durations, limits, tagBytes } from "../protocol/limits.ts";
import { Outgoing } from "../zmtp/connection.ts";
import { ClientRequest } from "./client-request.ts";
import { GivenNames } from "./core/given-names.ts";
import { OpenRequests } from "./core/open-requests.ts";
import { unavailable } from "./unavailable.ts";

/**
 * The bounds of a reply from a worker. They include the tag and the request's envelope, which
 * precede the payload of the reply.
 */
const replyBounds = {
  frameBytes: limits.frameBytes,
  frames: limits.messageFrames + 1,
  messageBytes: tagBytes + messageBounds.messageBytes + limits.frameBytes,
} as const;

/** Passes requests from clients to workers, and replies back to clients. */
export class Routing implements Exchange {
  readonly front: Exchange["front"] = {
    socketType: "ROUTER",
    peers: ["REQ", "DEALER", "ROUTER"],
    bounds: messageBounds,
    onPeer: (client) => {
      if (this.#names.came(client)) this.#options.onSharedName(client.identity);
    },
    onMessage: (client, frames) => this.#ask(client, frames),
    onGone: (client) => {
      this.#names.went(client);
      this.#paused.delete(client);
      this.#open.clientGone(client);
    },
  };
  readonly back: Exchange["back"] = {
    socketType: "DEALER",
    peers: ["ROUTER", "REP", "DEALER"],
    bounds: replyBounds,
    onPeer: (worker) => {
      this.#workers.push(worker);
      this.#goOn();
    },
    onMessage: (worker, frames) => this.#answer(worker, frames),
    onGone: (worker) => {
      this.#workers.splice(this.#workers.indexOf(worker), 1);
      for (const request of this.#open.workerGone(worker)) this.#refuse(request);
      this.#goOn();
    },
  };
  readonly #options: ExchangeOptions;
  readonly #open = new OpenRequests<ClientRequest, Peer>();
  readonly #workers: Peer[] = [];
  /**
   * Clients from which the broker does not read, because they have reached their bound of open
   * requests. The broker reads again at half of this bound.
   */
  readonly #paused = new Set<Peer>();
  readonly #names = new GivenNames<Peer>();
  readonly #timer: NodeJS.Timeout;
  #turn = 0;
  #answered = 0;
  /** The number of payloads that the broker answered itself, because no server did (B4). */
  #unanswered = 0;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    this.#timer = setInterval(() => {
      this.#giveUp(now().steadyMs - durations.openRequestMs);
      this.#goOn();
    }, durations.heartbeatMs);
  }

  measure(metrics: Metrics): void {
    metrics.gauge(
      { name: "tertulia_open_requests", help: "Payloads that wait for a server or its reply." },
      () => this.#open.size,
    );
    metrics.counter(
      { name: "tertulia_answered_payloads_total", help: "Payloads that a server answered." },
      () => this.#answered,
    );
    metrics.counter(
      {
        name: "tertulia_failed_requests_total",
        help: "Payloads that the broker answered with unavailable, because no server did.",
      },
      () => this.#unanswered,
    );
  }

  /** Answers all open requests with an error, because no reply can arrive any more. */
  close(): void {
    clearInterval(this.#timer);
    this.#giveUp(Number.POSITIVE_INFINITY);
  }

  #ask(client: Peer, frames: Buffer[]): void {
    const request = new ClientRequest(client, frames);
    if (!this.#open.take(request)) return this.#refuse(request);
    this.#handOn();
    request.wait();
    // While the broker does not read from a client, it notices neither the client's PINGs nor the
    // end of the connection. So it stops reading only when the client has reached its bound of open
    // requests.
    if (this.#open.loadOf(client) < 1) return;
    this.#paused.add(client);
    client.pause();
  }

  #answer(worker: Peer, [tag, ...frames]: Buffer[]): void {
    // A message that ends after the tag is not a reply.
    if (tag === undefined || frames.length === 0) return;
    const request = this.#open.close(worker, tag);
    if (request === undefined) return;
    this.#answered += 1;
    request.client.send(new Outgoing(frames));
    this.#goOn();
  }

  #giveUp(beforeMs: number): void {
    for (const request of this.#open.expire(beforeMs)) this.#refuse(request);
  }

  /**
   * Sends waiting requests to workers. Reads again from each paused client whose open requests are
   * at most half of its bound.
   */
  #goOn(): void {
    this.#handOn();
    for (const client of this.#paused) {
      if (this.#open.loadOf(client) > 0.5) continue;
      this.#paused.delete(client);
      client.resume();
    }
  }

  #handOn(): void {
    for (const request of this.#open.waiting) {
      const worker = this.#nextWorker();
      if (worker === undefined) return;
      worker.send(request.tagged(this.#open.hand(request, worker)));
    }
  }

  #nextWorker(): Peer | undefined {
    for (let tries = 0; tries < this.#workers.length; tries += 1) {
      this.#turn = (this.#turn + 1) % this.#workers.length;
      const worker = this.#workers[this.#turn];
      if (worker?.isFull === false) return worker;
    }
    return undefined;
  }

  #refuse({ client, frames }: ClientRequest): void {
    const { envelope, payload } = unwrap(frames);
    const reply = unavailable(payload, { ...this.#options.self, wallMs: now().wallMs });
    client.send(new Outgoing([...envelope, reply]));
    this.#unanswered += 1;
  }
}
