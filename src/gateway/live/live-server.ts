import { type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import { pause } from "../../platform/clock.ts";
import { random } from "../../platform/random.ts";
import { limits } from "../../protocol/limits.ts";
import type { Api } from "../api/route.ts";
import { credentialsOf, refuseOtherSite } from "../credentials.ts";
import type { People } from "../people.ts";
import { LiveSocket, pingMs } from "./live-socket.ts";

/** The path at which clients open WebSockets, below the path of the API. */
const socketPath = "/ws";
/** How long a stopping gateway takes to close all sockets, so that not all clients return at once. */
const drainMs = 5_000;

/** Accepts WebSockets, and pings them. */
export class LiveServer {
  readonly #people: People;
  readonly #onDefect: (error: unknown) => void;
  readonly #sockets = new Set<LiveSocket>();
  readonly #upgrades = new WebSocketServer({
    noServer: true,
    maxPayload: limits.requestBytes,
    perMessageDeflate: false,
  });
  readonly #beat = setInterval(() => {
    for (const socket of this.#sockets) socket.beat();
  }, pingMs);

  constructor(people: People, onDefect: (error: unknown) => void) {
    this.#people = people;
    this.#onDefect = onDefect;
  }

  get sockets(): number {
    return this.#sockets.size;
  }

  /** Adds the route of WebSockets, which checks a request before its connection is upgraded. */
  addRoute(api: Api): void {
    api.get(socketPath, { schema: { hide: true } }, (request, reply) => {
      const { raw } = request;
      const head = heads.get(raw);
      if (head === undefined) {
        return reply.code(426).header("upgrade", "websocket").send();
      }
      // A page of another site could open a socket with the cookie of the person.
      refuseOtherSite(request);
      const credentials = credentialsOf(request);
      reply.hijack();
      this.#upgrades.handleUpgrade(raw, raw.socket, head, (socket) => {
        const live = this.#add(socket, request.ip);
        if (Object.keys(credentials).length > 0) void live.connect(credentials);
      });
      return reply;
    });
  }

  /** Passes the upgrades of an HTTP server through the routes, so that their checks apply. */
  attach(
    server: Server,
    route: (request: IncomingMessage, response: ServerResponse) => void,
  ): void {
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      heads.set(request, head);
      socket.on("error", () => {});
      const response = new ServerResponse(request);
      response.assignSocket(request.socket);
      response.on("finish", () => socket.end());
      route(request, response);
    });
  }

  /** Closes all sockets in random order over some seconds. */
  async drain(): Promise<void> {
    clearInterval(this.#beat);
    const sockets = [...this.#sockets];
    await Promise.all(
      sockets.map(async (socket) => {
        await pause(sockets.length === 1 ? 0 : random() * drainMs);
        socket.close("stopping");
      }),
    );
    this.#upgrades.close();
  }

  #add(socket: WebSocket, via: string): LiveSocket {
    const live: LiveSocket = new LiveSocket(socket, {
      open: (credentials, events) => this.#people.open(credentials, via, events),
      onDefect: this.#onDefect,
      onClose: () => this.#sockets.delete(live),
    });
    this.#sockets.add(live);
    return live;
  }
}

/** The first bytes behind a request to upgrade its connection. */
const heads = new WeakMap<IncomingMessage, Buffer>();
