import { type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { limits } from "../../protocol/limits.ts";
import type { Api } from "../api/route.ts";
import { credentialsOf, refuseOtherSite } from "../credentials.ts";
import type { Games } from "../games.ts";
import type { People } from "../people.ts";
import { addEventRoute } from "./events.ts";
import { Flusher } from "./flusher.ts";
import { LiveConnections } from "./live-connections.ts";
import { type CloseReason, closeCodes, LiveSocket, pingMs } from "./live-socket.ts";
import { MessageFrames } from "./message-frames.ts";
import { servePlainly } from "./plain-request.ts";

/** The path at which clients open WebSockets, below the path of the API. */
const socketPath = "/ws";

const closeReasons = Object.keys(closeCodes) as CloseReason[];

interface LiveServerOptions {
  readonly people: People;
  readonly games: Games;
  /** Called with an error that only a defect explains. */
  readonly onDefect: (error: unknown) => void;
  /** Milliseconds between two pings of a client. */
  readonly pingMs?: number;
}

/** Accepts WebSockets and streams of events. */
export class LiveServer {
  readonly #options: LiveServerOptions;
  readonly connections = new LiveConnections();
  /** How many WebSockets the gateway has closed, by reason. */
  readonly closes = new Map(closeReasons.map((why) => [why, 0]));
  readonly #upgrades = new WebSocketServer({
    noServer: true,
    maxPayload: limits.requestBytes,
    perMessageDeflate: false,
  });
  readonly #frames = new MessageFrames();
  readonly #flusher = new Flusher();

  constructor(options: LiveServerOptions) {
    this.#options = options;
  }

  /** Adds the routes of WebSockets and of events. */
  addRoutes(api: Api): void {
    addEventRoute(api, this.#options.people, this.connections);
    // The route checks a request before its connection is upgraded.
    api.get(socketPath, { schema: { hide: true } }, (request, reply) => {
      const { raw, ip: via } = request;
      const head = heads.get(raw);
      if (head === undefined) {
        return reply.code(426).header("upgrade", "websocket").send();
      }
      // A page of another site could open a socket with the cookie of the person.
      refuseOtherSite(request);
      const credentials = credentialsOf(request);
      const tellsToken = request.headers.authorization !== undefined;
      reply.hijack();
      // The socket would otherwise keep the request and its reply in memory.
      reply.raw.detachSocket(raw.socket);
      // Without its socket, the reply does not tell by itself that it is over.
      reply.raw.emit("close");
      const { people, games, onDefect } = this.#options;
      this.#upgrades.handleUpgrade(raw, raw.socket, head, (socket) => {
        const live: LiveSocket = new LiveSocket(socket, {
          raw: raw.socket,
          frames: this.#frames,
          flusher: this.#flusher,
          games,
          pingMs: this.#options.pingMs ?? pingMs,
          open: (credentials, events) => people.open(credentials, via, events),
          onDefect,
          onClose: (why) => this.#closed(live, why),
        });
        this.connections.add(live);
        if (Object.keys(credentials).length > 0) void live.connect(credentials, { tellsToken });
      });
      return reply;
    });
  }

  #closed(live: LiveSocket, why: CloseReason | undefined): void {
    this.connections.delete(live);
    if (why !== undefined) this.closes.set(why, (this.closes.get(why) ?? 0) + 1);
  }

  /**
   * Passes the upgrades to WebSockets through the routes, so that their checks apply. Other upgrades
   * are not offered.
   */
  attach(
    server: Server,
    route: (request: IncomingMessage, response: ServerResponse) => void,
  ): void {
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (!asksForSocket(request)) return servePlainly(server, request, head);
      heads.set(request, head);
      socket.on("error", () => {});
      const response = new ServerResponse(request);
      response.assignSocket(request.socket);
      // A refused client that never ends its side must not keep the connection.
      response.on("finish", () => request.socket.destroySoon());
      route(request, response);
    });
  }
}

function asksForSocket({ method, url = "", headers }: IncomingMessage): boolean {
  const [path = ""] = url.split("?", 1);
  const isUpgrade = method === "GET" && headers.upgrade?.toLowerCase() === "websocket";
  return isUpgrade && path.endsWith(socketPath);
}

/** For each request to upgrade its connection, the bytes that came directly behind the request. */
const heads = new WeakMap<IncomingMessage, Buffer>();
