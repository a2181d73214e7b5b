import type { Forwarder, ForwarderOptions, ForwarderRole } from "../forwarder/forwarder.ts";
import { unwrap } from "../net/envelope.ts";
import { Listener, type Peer } from "../net/listener.ts";
import { requestBounds } from "../net/responder.ts";
import { now } from "../platform/clock.ts";
import { durations, limits } from "../protocol/limits.ts";
import { Outgoing } from "../zmtp/connection.ts";
import { decodeMessage } from "../zmtp/frames.ts";
import { type OpenRequest, OpenRequests } from "./core/open-requests.ts";
import { unavailable } from "./unavailable.ts";

/** Requests to the servers in turn, replies back to whoever asked. */
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

export async function startBroker(options: ForwarderOptions): Promise<Forwarder> {
  const routing = new Routing(options);
  const { front: clients, back: workers } = options.entrance;
  const front = await Listener.bind(options.front, {
    socketType: "ROUTER",
    peers: ["REQ", "DEALER", "ROUTER"],
    bounds: requestBounds,
    entrance: clients,
    onPeer: () => routing.clientCame(),
    onMessage: (client, frames) => routing.ask(client, frames),
    onGone: (client) => routing.clientWent(client),
  });
  try {
    const back = await Listener.bind(options.back, {
      socketType: "DEALER",
      peers: ["ROUTER", "REP", "DEALER"],
      // One frame more than a client's: the tag.
      bounds: { ...requestBounds, frames: limits.messageFrames + 1 },
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
        await Promise.all([front.close(), back.close()]);
      },
    };
  } catch (error) {
    await front.close();
    throw error;
  }
}

/** What of a client's is read but not handed on: no worker is there, or each has enough. */
interface Waiting {
  readonly client: Peer;
  readonly frames: Buffer[];
}

class Routing {
  readonly #options: ForwarderOptions;
  readonly #open = new OpenRequests<Peer, Peer>();
  readonly #workers: Peer[] = [];
  #waiting: Waiting[] = [];
  /** Clients that are not read until something of theirs is answered. */
  readonly #paused = new Set<Peer>();
  #clients = 0;
  #turn = 0;

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  clientCame(): void {
    this.#clients += 1;
    this.#options.onConnections("front", this.#clients);
  }

  clientWent(client: Peer): void {
    this.#paused.delete(client);
    this.#waiting = this.#waiting.filter((waiting) => waiting.client !== client);
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
    const worker = this.#waiting.length > 0 ? undefined : this.#nextWorker();
    if (worker === undefined) {
      this.#waiting.push({ client, frames });
      this.#pause(client);
    } else this.#hand(worker, client, frames);
  }

  answer(worker: Peer, [tag, ...frames]: Buffer[]): void {
    const request = this.#open.close(worker, tag);
    if (request === undefined) return;
    request.client.send(new Outgoing(frames));
    this.#goOn();
  }

  tick(): void {
    const expired = this.#open.expire(now().steadyMs - durations.openRequestMs);
    for (const request of expired) this.#refuse(request);
    this.#goOn();
  }

  #hand(worker: Peer, client: Peer, frames: Buffer[]): void {
    const { steadyMs: atMs } = now();
    this.#open.open({ client, worker, atMs }, (tag) => {
      const message = new Outgoing([tag, ...frames]);
      worker.send(message);
      return message.plain;
    });
    const load = this.#open.loadOf(client);
    if (load.requests >= limits.openRequests || load.bytes >= limits.openRequestBytes) {
      this.#pause(client);
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

  #pause(client: Peer): void {
    this.#paused.add(client);
    client.pause();
  }

  /** Hands on what waits, and reads on of whom it can. */
  #goOn(): void {
    while (this.#waiting.length > 0) {
      const worker = this.#nextWorker();
      if (worker === undefined) return;
      const { client, frames } = this.#waiting.shift() as Waiting;
      this.#hand(worker, client, frames);
    }
    for (const client of this.#paused) {
      const { requests, bytes } = this.#open.loadOf(client);
      if (requests > limits.openRequests / 2 || bytes > limits.openRequestBytes / 2) continue;
      this.#paused.delete(client);
      client.resume();
    }
  }

  #refuse({ client, message }: OpenRequest<Peer, Peer>): void {
    const [, ...frames] = decodeMessage(message);
    const { envelope, payload } = unwrap(frames);
    const { self } = this.#options;
    const reply = unavailable(payload, { ...self, wallMs: now().wallMs });
    client.send(new Outgoing([...envelope, reply]));
  }
}
