import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** A process's name in the relay: `server 1`, `broker 1`, `clients` … */
export type NodeName = string;

/**
 * One direction between two processes: all bytes from `from` to `to`, over all their connections.
 */
export interface Link {
  readonly from: NodeName;
  readonly to: NodeName;
}

/** Returns the links between a process and others, in both directions. */
export function linksBetween(node: NodeName, others: readonly NodeName[]): Link[] {
  return others.flatMap((other) => [
    { from: node, to: other },
    { from: other, to: node },
  ]);
}

/**
 * A disturbance of some links, which lasts until it is healed. A link may have several disturbances
 * at a time; their effects add up.
 */
export interface Disturbance {
  /** @param reset whether the connections of these links are reset; otherwise they stay open */
  heal(how?: { readonly reset: boolean }): void;
}

/** A way to a process through the relay. */
export interface Route {
  /**
   * The connecting process, or a function that finds it in the first bytes. Disturbances do not
   * affect a connection until its process is known.
   */
  readonly from: NodeName | ((bytes: Buffer) => NodeName | undefined);
  readonly to: NodeName;
  /** The target's endpoint: `tcp://host:port` or `ipc://path`. */
  readonly target: string;
}

/**
 * The most bytes of one direction in the relay's buffer. Above this bound the relay stops reading,
 * as a kernel would.
 */
const heldBytes = 1024 * 1024;

/**
 * A TCP relay between the processes of a cluster. The relay can cut links in one direction or both,
 * slow links down, or reset their connections. A cut behaves like a network that drops all packets:
 * data, closes and resets wait until the cut is healed. Then they are delivered in order. With
 * `heal({reset: true})` the connections are reset instead, and the data is lost. A new connection
 * waits while either direction between its two processes is cut. A connection whose process is not
 * known yet does not wait.
 */
export class Relay implements AsyncDisposable {
  readonly #servers: Server[] = [];
  readonly #spare: Server[] = [];
  readonly #connections = new Set<Connection>();
  readonly #cuts = new Map<string, number>();
  readonly #delaysMs = new Map<string, number>();

  /** @param ports the most routes that the relay can have */
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

  /**
   * @returns the endpoint at which the route begins
   * @throws Error if all ports are taken
   */
  add(route: Route): string {
    const server = this.#spare.pop();
    if (server === undefined) throw new Error("the relay has no port left");
    server.on("connection", (socket) => this.#accept(socket, route));
    const { port } = server.address() as AddressInfo;
    return `tcp://127.0.0.1:${port}`;
  }

  /** Stops all bytes on these links until the cut is healed. */
  cut(links: readonly Link[]): Disturbance {
    return this.#disturb(links, this.#cuts, 1);
  }

  /** Delays all bytes on these links by `delayMs` milliseconds. */
  slow(links: readonly Link[], delayMs: number): Disturbance {
    return this.#disturb(links, this.#delaysMs, delayMs);
  }

  /** Resets the connections that use any of these links. */
  reset(links: readonly Link[]): void {
    const keys = new Set(links.map(({ from, to }) => keyOf(from, to)));
    for (const connection of this.#connections) {
      if (connection.links().some(({ from, to }) => keys.has(keyOf(from, to)))) connection.reset();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.#connections) connection.reset();
    const closed = this.#servers.map((server) => once(server, "close"));
    for (const server of this.#servers.splice(0)) server.close();
    await Promise.all(closed);
  }

  #disturb(links: readonly Link[], table: Map<string, number>, by: number): Disturbance {
    const raise = (change: number) => {
      for (const { from, to } of links) {
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
        // The connections are reset before the cut ends, so that the waiting bytes are discarded.
        if (reset) this.reset(links);
        raise(-by);
      },
    };
  }

  #accept(socket: Socket, route: Route): void {
    const connection = new Connection({
      socket,
      route,
      conditions: (link) => this.#conditions(link),
      closed: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
    connection.update();
  }

  #conditions({ from, to }: Link): Conditions {
    const key = keyOf(from, to);
    return { isCut: (this.#cuts.get(key) ?? 0) > 0, delayMs: this.#delaysMs.get(key) ?? 0 };
  }
}

function keyOf(from: NodeName, to: NodeName): string {
  return `${from} > ${to}`;
}

interface Conditions {
  readonly isCut: boolean;
  readonly delayMs: number;
}

interface ConnectionOptions {
  readonly socket: Socket;
  readonly route: Route;
  readonly conditions: (link: Link) => Conditions;
  readonly closed: () => void;
}

/**
 * A connection that the relay accepted, and the relay's connection to the target. The relay opens
 * the connection to the target once neither direction is cut.
 */
class Connection {
  readonly #options: ConnectionOptions;
  #from: NodeName | undefined;
  #flows: { readonly there: Flow; readonly back: Flow } | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { from } = options.route;
    if (typeof from === "string") this.#from = from;
    // Without a listener, an error before the flows exist would end this process.
    options.socket.on("error", () => {});
    options.socket.once("close", () => this.#close());
  }

  /** The links in both directions; empty until the connecting process is known. */
  links(): readonly Link[] {
    const { to } = this.#options.route;
    const from = this.#from;
    return from === undefined
      ? []
      : [
          { from, to },
          { from: to, to: from },
        ];
  }

  /** Applies the changed conditions of the links to this connection. */
  update(): void {
    const [there, back] = this.links().map(this.#options.conditions);
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
 * Resets a socket, or closes it if a reset is impossible. A TCP connection can be reset only while
 * it is open and its end was not sent. Otherwise libuv refuses the reset (`uv_tcp_close_reset`),
 * and Node would never close the socket.
 */
function resetSocket(socket: Socket): void {
  if (socket.remoteFamily === undefined || socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

type Item = { readonly dueMs: number } & (
  | { readonly type: "bytes"; readonly bytes: Buffer }
  | { readonly type: "end" | "reset" }
);

/**
 * One direction of a connection. Passes bytes from the source to the sink in order, or stores them
 * during a cut or delay.
 */
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
