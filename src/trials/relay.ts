import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** A process as the relay knows it: `server 1`, `broker 1`, `clients` … */
export type Party = string;

/** The way from one process to another: whatever the one sends the other, over any connection. */
export interface Road {
  readonly from: Party;
  readonly to: Party;
}

/** What one sends to the others, and what they send to it. */
export function roadsBetween(party: Party, others: readonly Party[]): Road[] {
  return others.flatMap((other) => [
    { from: party, to: other },
    { from: other, to: party },
  ]);
}

/** What is done to some roads until it is healed. Two on one road add up. */
export interface Disturbance {
  /** @param reset whether the connections of these roads are reset, instead of going on */
  heal(how?: { readonly reset: boolean }): void;
}

/** How a process is reached through the relay. */
export interface Route {
  /**
   * Who connects: one process, or whoever the first bytes tell. Until they have told, nothing holds
   * the connection up.
   */
  readonly from: Party | ((bytes: Buffer) => Party | undefined);
  readonly to: Party;
  /** `tcp://host:port` or `ipc://path`. */
  readonly target: string;
}

/** Bytes of one direction that the relay holds before it reads no more, as a kernel would. */
const heldBytes = 1024 * 1024;

/**
 * A TCP relay through which the processes of a cluster reach each other, so that the ways between
 * them can be cut, in one direction or both, slowed down, or reset.
 *
 * A cut is a network that drops packets, as TCP shows it: bytes, ends and resets stay where they
 * are until it is healed, then go on or, with `reset`, are lost with their connection; a new
 * connection waits while either direction is cut.
 */
export class Relay implements AsyncDisposable {
  readonly #servers: Server[] = [];
  readonly #spare: Server[] = [];
  readonly #connections = new Set<Connection>();
  readonly #cuts = new Map<string, number>();
  readonly #delaysMs = new Map<string, number>();

  /** @param ports how many routes it will have at most */
  static async open(ports: number): Promise<Relay> {
    const relay = new Relay();
    for (let count = 0; count < ports; count += 1) {
      const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
      relay.#servers.push(server);
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
    }
    relay.#spare.push(...relay.#servers);
    return relay;
  }

  /** @returns the endpoint at which the route begins; @throws Error if all ports are taken */
  add(route: Route): string {
    const server = this.#spare.pop();
    if (server === undefined) throw new Error("the relay has no port left");
    server.on("connection", (socket) => this.#accept(socket, route));
    const { port } = server.address() as AddressInfo;
    return `tcp://127.0.0.1:${port}`;
  }

  /** Nothing passes on these roads until it is healed. */
  cut(roads: readonly Road[]): Disturbance {
    return this.#disturb(roads, this.#cuts, 1);
  }

  /** Everything on these roads takes so many milliseconds longer. */
  slow(roads: readonly Road[], delayMs: number): Disturbance {
    return this.#disturb(roads, this.#delaysMs, delayMs);
  }

  /** Resets the connections that use any of these roads. */
  reset(roads: readonly Road[]): void {
    const keys = new Set(roads.map(({ from, to }) => keyOf(from, to)));
    for (const connection of this.#connections) {
      if (connection.roads().some(({ from, to }) => keys.has(keyOf(from, to)))) connection.reset();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#connections) connection.reset();
    const closed = this.#servers.map((server) => once(server, "close"));
    for (const server of this.#servers.splice(0)) server.close();
    await Promise.all(closed);
  }

  #disturb(roads: readonly Road[], table: Map<string, number>, by: number): Disturbance {
    const raise = (change: number) => {
      for (const { from, to } of roads) {
        const key = keyOf(from, to);
        table.set(key, (table.get(key) ?? 0) + change);
      }
      for (const connection of this.#connections) connection.update();
    };
    raise(by);
    let isHealed = false;
    return {
      heal: ({ reset } = { reset: false }) => {
        if (isHealed) return;
        isHealed = true;
        // First the reset: what was held must not slip through.
        if (reset) this.reset(roads);
        raise(-by);
      },
    };
  }

  #accept(socket: Socket, route: Route): void {
    const connection = new Connection({
      socket,
      route,
      conditions: (road) => this.#conditions(road),
      closed: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
    connection.update();
  }

  #conditions({ from, to }: Road): Conditions {
    const key = keyOf(from, to);
    return { isCut: (this.#cuts.get(key) ?? 0) > 0, delayMs: this.#delaysMs.get(key) ?? 0 };
  }
}

function keyOf(from: Party, to: Party): string {
  return `${from} > ${to}`;
}

interface Conditions {
  readonly isCut: boolean;
  readonly delayMs: number;
}

interface ConnectionOptions {
  readonly socket: Socket;
  readonly route: Route;
  readonly conditions: (road: Road) => Conditions;
  readonly closed: () => void;
}

/** One accepted connection and, once both its roads are open, the one to its target. */
class Connection {
  readonly #options: ConnectionOptions;
  #from: Party | undefined;
  #flows: { readonly there: Flow; readonly back: Flow } | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { from } = options.route;
    if (typeof from === "string") this.#from = from;
    // Without a listener an error would end this process; the flows hear of it too.
    options.socket.on("error", () => {});
    options.socket.once("close", () => this.#close());
  }

  /** There and back; none as long as nobody knows who connected. */
  roads(): readonly Road[] {
    const { to } = this.#options.route;
    const from = this.#from;
    return from === undefined
      ? []
      : [
          { from, to },
          { from: to, to: from },
        ];
  }

  /** The conditions of its roads may have changed. */
  update(): void {
    const [there, back] = this.roads().map(this.#options.conditions);
    if (this.#flows === undefined) {
      if (!there?.isCut && !back?.isCut) this.#connect();
    } else if (there !== undefined && back !== undefined) {
      this.#flows.there.update(there);
      this.#flows.back.update(back);
    }
  }

  reset(): void {
    resetSocket(this.#options.socket);
    if (this.#flows !== undefined) resetSocket(this.#flows.there.sink);
  }

  #connect(): void {
    const { socket, route } = this.#options;
    const far = connect({ ...addressOf(route.target), allowHalfOpen: true, noDelay: true });
    far.on("error", () => {});
    far.once("close", () => this.#close());
    const there = new Flow(socket, far, (bytes) => this.#identify(bytes));
    const back = new Flow(far, socket);
    this.#flows = { there, back };
    this.update();
  }

  #identify(bytes: Buffer): void {
    const { from } = this.#options.route;
    if (this.#from !== undefined || typeof from === "string") return;
    this.#from = from(bytes);
    if (this.#from !== undefined) this.update();
  }

  #close(): void {
    const ends = [this.#options.socket, this.#flows?.there.sink];
    if (ends.every((end) => end === undefined || end.destroyed)) this.#options.closed();
  }
}

function addressOf(endpoint: string): { path: string } | { host: string; port: number } {
  if (endpoint.startsWith("ipc://")) return { path: endpoint.slice("ipc://".length) };
  const { hostname, port } = new URL(endpoint.replace(/^tcp:/, "http:"));
  return { host: hostname, port: Number(port) };
}

/**
 * Only a TCP connection that is there, and whose end was not sent, can be reset: libuv refuses any
 * other (`uv_tcp_close_reset`), and Node would then never close it. Such a one is closed.
 */
function resetSocket(socket: Socket): void {
  if (socket.remoteFamily === undefined || socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

type Item = { readonly dueMs: number } & (
  | { readonly type: "bytes"; readonly bytes: Buffer }
  | { readonly type: "end" | "reset" }
);

/** One direction of a connection: what the source sends reaches the sink in order, or waits. */
class Flow {
  readonly sink: Socket;
  readonly #source: Socket;
  readonly #look: (bytes: Buffer) => void;
  readonly #held: Item[] = [];
  #heldBytes = 0;
  #conditions: Conditions = { isCut: false, delayMs: 0 };
  #timer: NodeJS.Timeout | undefined;

  constructor(source: Socket, sink: Socket, look: (bytes: Buffer) => void = () => {}) {
    this.#source = source;
    this.sink = sink;
    this.#look = look;
    source.on("data", (bytes: Buffer) => this.#take(bytes));
    source.once("end", () => this.#hold({ type: "end", dueMs: this.#dueMs() }));
    source.once("error", () => this.#hold({ type: "reset", dueMs: this.#dueMs() }));
    sink.on("drain", () => this.#pump());
    sink.once("close", () => clearTimeout(this.#timer));
    this.#pump();
  }

  update(conditions: Conditions): void {
    this.#conditions = conditions;
    this.#pump();
  }

  #take(bytes: Buffer): void {
    this.#heldBytes += bytes.length;
    this.#look(bytes);
    this.#hold({ type: "bytes", bytes, dueMs: this.#dueMs() });
  }

  #hold(item: Item): void {
    this.#held.push(item);
    this.#pump();
  }

  #dueMs(): number {
    return performance.now() + this.#conditions.delayMs;
  }

  #pump(): void {
    clearTimeout(this.#timer);
    const { isCut } = this.#conditions;
    while (!isCut && !this.sink.destroyed && !this.sink.writableNeedDrain) {
      const item = this.#held[0];
      if (item === undefined) break;
      const waitMs = item.dueMs - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#pump(), waitMs);
        break;
      }
      this.#held.shift();
      this.#pass(item);
    }
    if (isCut || this.#heldBytes > heldBytes) this.#source.pause();
    else this.#source.resume();
  }

  #pass(item: Item): void {
    switch (item.type) {
      case "bytes":
        this.#heldBytes -= item.bytes.length;
        this.sink.write(item.bytes);
        return;
      case "end":
        this.sink.end();
        return;
      case "reset":
        resetSocket(this.sink);
        return;
      default:
        item satisfies never;
    }
  }
}
