import type { Forwarder, ForwarderOptions, ForwarderRole } from "../forwarder/forwarder.ts";
import { unwrap } from "../net/envelope.ts";
import { Listener, messageBounds } from "../net/listener.ts";
import type { Peer } from "../net/wire.ts";
import { now } from "../platform/clock.ts";
import { durations, limits, tagBytes } from "../protocol/limits.ts";
import { Outgoing } from "../zmtp/connection.ts";
import { ClientRequest } from "./client-request.ts";
import { GivenNames } from "./core/given-names.ts";
import { OpenRequests } from "./core/open-requests.ts";
import { unavailable } from "./unavailable.ts";

/** Hands requests to the servers in turn, and replies back to whoever asked (B1 to B5). */
export const broker: ForwarderRole = {
  role: "broker",
  ends: { front: "tcp://127.0.0.1:5555", back: "tcp://127.0.0.1:5556" },
  members: "back",
  start: startBroker,
  report(log, side, { before, now: count }) {
    const gone = count < before;
    if (side === "back") log.info({ servers: count }, gone ? "A server went" : "A server came");
    else if (gone) log.debug({ clients: count }, "A client went");
  },
};

/** What a request has in front of its payload comes back, with the tag, in front of the reply. */
const replyBounds = {
  frameBytes: limits.frameBytes,
  frames: limits.messageFrames + 1,
  messageBytes: tagBytes + messageBounds.messageBytes + limits.frameBytes,
} as const;

export async function startBroker(options: ForwarderOptions): Promise<Forwarder> {
  const routing = new Routing(options);
  const { front: clients, back: workers } = options.entrance;
  const front = await Listener.bind(options.front, {
    socketType: "ROUTER",
    peers: ["REQ", "DEALER", "ROUTER"],
    bounds: messageBounds,
    entrance: clients,
    onPeer: (client) => routing.clientCame(client),
    onMessage: (client, frames) => routing.ask(client, frames),
    onGone: (client) => routing.clientWent(client),
  });
  try {
    const back = await Listener.bind(options.back, {
      socketType: "DEALER",
      peers: ["ROUTER", "REP", "DEALER"],
      bounds: replyBounds,
      entrance: workers,
      onPeer: (worker) => routing.workerCame(worker),
      onMessage: (worker, frames) => routing.answer(worker, frames),
      onGone: (worker) => routing.workerWent(worker),
    });
    const timer = setInterval(() => routing.tick(), durations.heartbeatMs);
    return {
      front: front.endpoint,
      back: back.endpoint,
      close: async () => {
        clearInterval(timer);
        routing.close();
        await Promise.all([front.close(), back.close()]);
      },
    };
  } catch (error) {
    await front.close();
    throw error;
  }
}

/** The clients and workers of one broker, and what goes between them. */
class Routing {
  readonly #options: ForwarderOptions;
  readonly #open = new OpenRequests<ClientRequest, Peer>();
  readonly #workers: Peer[] = [];
  /** Clients that are not read until they have less open. */
  readonly #paused = new Set<Peer>();
  readonly #names = new GivenNames<Peer>();
  #clients = 0;
  #turn = 0;

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  clientCame(client: Peer): void {
    if (this.#names.came(client)) this.#options.onSharedName(client.identity);
    this.#clients += 1;
    this.#options.onConnections("front", this.#clients);
  }

  clientWent(client: Peer): void {
    this.#names.went(client);
    this.#paused.delete(client);
    this.#open.clientGone(client);
    this.#clients -= 1;
    this.#options.onConnections("front", this.#clients);
  }

  workerCame(worker: Peer): void {
    this.#workers.push(worker);
    this.#options.onConnections("back", this.#workers.length);
    this.#goOn();
  }

  workerWent(worker: Peer): void {
    this.#workers.splice(this.#workers.indexOf(worker), 1);
    this.#options.onConnections("back", this.#workers.length);
    for (const request of this.#open.workerGone(worker)) this.#refuse(request);
    this.#goOn();
  }

  ask(client: Peer, frames: Buffer[]): void {
    const request = new ClientRequest(client, frames);
    if (!this.#open.take(request)) return this.#refuse(request);
    this.#handOn();
    request.wait();
    // Below its bound a client is read on: else nobody would notice its end, or answer its PINGs.
    if (this.#open.loadOf(client) < 1) return;
    this.#paused.add(client);
    client.pause();
  }

  answer(worker: Peer, [tag, ...frames]: Buffer[]): void {
    // A tag alone is no reply.
    if (tag === undefined || frames.length === 0) return;
    const request = this.#open.close(worker, tag);
    if (request === undefined) return;
    request.client.send(new Outgoing(frames));
    this.#goOn();
  }

  tick(): void {
    this.#giveUp(now().steadyMs - durations.openRequestMs);
    this.#goOn();
  }

  /** Answers all open requests: their replies could not come any more. */
  close(): void {
    this.#giveUp(Number.POSITIVE_INFINITY);
  }

  #giveUp(beforeMs: number): void {
    for (const request of this.#open.expire(beforeMs)) this.#refuse(request);
  }

  /** Hands on requests that wait, and reads on from clients that have less open now. */
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
    const { self } = this.#options;
    const reply = unavailable(payload, { ...self, wallMs: now().wallMs });
    client.send(new Outgoing([...envelope, reply]));
  }
}
