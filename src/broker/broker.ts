import type { Forwarder, ForwarderOptions, ForwarderRole } from "../forwarder/forwarder.ts";
import { unwrap } from "../net/envelope.ts";
import { Listener, type Peer } from "../net/listener.ts";
import { requestBounds } from "../net/responder.ts";
import { now } from "../platform/clock.ts";
import { durations, limits } from "../protocol/limits.ts";
import { Outgoing } from "../zmtp/connection.ts";
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
  readonly bytes: number;
}

class Routing {
  readonly #options: ForwarderOptions;
  readonly #open = new OpenRequests<Peer, Peer>();
  readonly #workers: Peer[] = [];
  #waiting: Waiting[] = [];
  /** Of all requests that are open or wait. */
  #bytes = 0;
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
    this.#waiting = this.#waiting.filter((waiting) => {
      if (waiting.client !== client) return true;
      this.#bytes -= waiting.bytes;
      return false;
    });
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
    for (const request of this.#open.workerGone(worker)) this.#giveUp(request);
    this.#goOn();
  }

  ask(client: Peer, frames: Buffer[]): void {
    const bytes = frames.reduce((sum, { length }) => sum + length, 0);
    if (this.#bytes + bytes > limits.openRequestBytesOfAll) return this.#refuse(client, frames);
    this.#bytes += bytes;
    const waiting: Waiting = { client, frames: keepable(frames, bytes), bytes };
    const worker = this.#waiting.length > 0 ? undefined : this.#nextWorker();
    if (worker === undefined) {
      this.#waiting.push(waiting);
      this.#pause(client);
    } else this.#hand(worker, waiting);
  }

  answer(worker: Peer, [tag, ...frames]: Buffer[]): void {
    const request = this.#open.close(worker, tag);
    if (request === undefined) return;
    this.#bytes -= request.bytes;
    request.client.send(new Outgoing(frames));
    this.#goOn();
  }

  tick(): void {
    const expired = this.#open.expire(now().steadyMs - durations.openRequestMs);
    for (const request of expired) this.#giveUp(request);
    this.#goOn();
  }

  #hand(worker: Peer, { client, frames, bytes }: Waiting): void {
    const { steadyMs: atMs } = now();
    const tag = this.#open.open({ client, worker, frames, bytes, atMs });
    worker.send(new Outgoing([tag, ...frames]));
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
      this.#hand(worker, this.#waiting.shift() as Waiting);
    }
    for (const client of this.#paused) {
      const { requests, bytes } = this.#open.loadOf(client);
      if (requests > limits.openRequests / 2 || bytes > limits.openRequestBytes / 2) continue;
      this.#paused.delete(client);
      client.resume();
    }
  }

  #giveUp({ client, frames, bytes }: OpenRequest<Peer, Peer>): void {
    this.#bytes -= bytes;
    this.#refuse(client, frames);
  }

  #refuse(client: Peer, frames: readonly Buffer[]): void {
    const { envelope, payload } = unwrap([...frames]);
    const { self } = this.#options;
    const reply = unavailable(payload, { ...self, wallMs: now().wallMs });
    client.send(new Outgoing([...envelope, reply]));
  }
}

/** Small frames share their memory with all that came with them: what is kept is copied. */
function keepable(frames: Buffer[], bytes: number): Buffer[] {
  return bytes > limits.requestBytes ? frames : frames.map((frame) => Buffer.from(frame));
}
