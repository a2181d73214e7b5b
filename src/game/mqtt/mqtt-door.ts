import { createServer, type Socket } from "node:net";
import { Aedes, type AuthenticateError, type Client } from "aedes";
import { listen } from "../../net/listen.ts";
import { type Log, RequestLog } from "../../platform/log.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { encodeMessage } from "./envelope.ts";
import type { Outlet } from "./event-feed.ts";
import { MqttPlayer, type PlayerParts } from "./mqtt-player.ts";
import { PacketGuard } from "./packet-guard.ts";

/** The bounds of the door. */
const bounds = {
  connections: 1_000,
  packetBytes: 65_536,
  clientIdLetters: 128,
  topicLevels: 8,
  /** Messages of QoS 2 of one client that are not released yet. */
  unreleased: 16,
  /** Packets of one client that arrive before its login is known. */
  earlyPackets: 16,
  /** Bytes that wait for one client, beyond those that the system takes. */
  unsentBytes: 1024 * 1024,
} as const;

const connectMs = 10_000;
/** Milliseconds for which a client may take nothing of what it is sent. */
const stuckMs = 20_000;

/** The codes by which CONNACK refuses. */
const connack = { idRejected: 2, unavailable: 3, nameWrong: 4, refused: 5 } as const;

interface Options extends Pick<PlayerParts, "players" | "chat"> {
  /** A TCP endpoint. */
  readonly endpoint: string;
  readonly log: Log;
  /** What clients are told as the name of their server. */
  readonly name?: string | undefined;
  /** For tests. */
  readonly mostConnections?: number | undefined;
}

/**
 * Opens the door for players that come by MQTT 3.1.1. aedes does the protocol; nothing that it could
 * do between clients is used: what a client publishes is a command to this server, and reaches nobody
 * else, and what a client hears is sent to it alone.
 * @throws Problem if the endpoint can't be bound
 */
export async function openMqttDoor(options: Options) {
  const log = new RequestLog(options.log);
  const broker = new Door({ ...options, log, name: options.name ?? "tertulia" }).broker;
  await broker.listen();
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true, keepAlive: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    guard(socket);
    broker.handle(socket);
  });
  server.maxConnections = options.mostConnections ?? bounds.connections;
  server.on("drop", () => log.write("warn", "Too many connections by MQTT"));
  const close = async () => {
    await new Promise<void>((resolve) => broker.close(resolve));
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  try {
    const endpoint = await listen(server, options.endpoint);
    // Such as too many open files: the next connection may succeed.
    server.on("error", ({ message }) =>
      log.write("warn", "The MQTT door failed", { why: message }),
    );
    return { endpoint, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Ends a connection that sends a packet that is too long, before it is in memory. */
function guard(socket: Socket): void {
  const packets = new PacketGuard(bounds.packetBytes);
  const read = socket.read.bind(socket);
  // aedes takes all that it gets by this method, so no copy and no further stream is needed.
  socket.read = (size) => {
    const chunk: Uint8Array | null = read(size);
    if (chunk === null || packets.takes(chunk)) return chunk;
    socket.destroy();
    return null;
  };
}

/** The connections of players, and what aedes asks about them. */
class Door {
  readonly broker: Aedes;
  readonly #parts: PlayerParts;
  readonly #players = new WeakMap<Client, MqttPlayer>();

  constructor(parts: PlayerParts) {
    this.#parts = parts;
    this.broker = new Aedes({
      connectTimeout: connectMs,
      drainTimeout: stuckMs,
      queueLimit: bounds.earlyPackets,
      maxTopicLevels: bounds.topicLevels,
      maxInflightInbound: bounds.unreleased,
      preConnect: (_client, packet, done) => {
        // No session outlives its connection, and nothing is published for a client that is gone.
        packet.clean = true;
        delete packet.will;
        done(null, true);
      },
      // biome-ignore lint/complexity/useMaxParams: aedes calls it so.
      authenticate: (client, name, password, done) => {
        this.#enter(client, { name, password: password?.toString() }).then(
          () => done(null, true),
          (error) => done(error, null),
        );
      },
      authorizeSubscribe: (client, wanted, done) => {
        const allowed = this.#players.get(client)?.mayHear(wanted.topic);
        // A refused topic is told by the code 128 of SUBACK.
        void Promise.resolve(allowed).then((isAllowed) => done(null, isAllowed ? wanted : null));
      },
      authorizePublish: (client, packet, done) => {
        // Nothing is kept for clients that come later.
        packet.retain = false;
        const { topic, payload, qos } = packet;
        const player = client === null ? undefined : this.#players.get(client);
        const taken = player?.take({ topic, payload: Buffer.from(payload), qos });
        // aedes writes PUBACK after `done`; an error closes the connection without it, so the client
        // sends the command again, marked as a repetition.
        void Promise.resolve(taken).then((isTaken) => {
          done(isTaken ? null : new Error("The outcome of a command is unknown."));
        });
      },
      // aedes marks what a client has published; only the messages of this server have no mark.
      authorizeForward: (_client, packet) => ("clientId" in packet ? null : packet),
    });
    this.#listen();
  }

  #listen(): void {
    const { broker } = this;
    broker.on("subscribe", (subscriptions, client) => {
      for (const { topic, qos } of subscriptions) {
        if (Number(qos) <= 2) this.#players.get(client)?.hear(topic, qos === 0 ? 0 : 1);
      }
    });
    broker.on("unsubscribe", (topics, client) => {
      for (const topic of topics) this.#players.get(client)?.leave(topic);
    });
    const note = (_client: Client, error: Error) =>
      this.#parts.log.write("debug", "Connection by MQTT lost", { why: error.message });
    broker.on("clientError", note);
    broker.on("connectionError", note);
    broker.on("clientDisconnect", (client) => this.#players.get(client)?.[Symbol.dispose]());
    // aedes types no event `error`, and would throw it.
    (broker as NodeJS.EventEmitter).on("error", (error: Error) =>
      this.#parts.log.write("warn", "The MQTT door failed", { why: error.message }),
    );
  }

  /** @throws AuthenticateError with the code for CONNACK */
  async #enter(client: Client, login: Login): Promise<void> {
    if (client.id.length > bounds.clientIdLetters) throw refusal(connack.idRejected, "id too long");
    const player = new MqttPlayer(this.#parts, outletOf(client), client.id);
    this.#players.set(client, player);
    client.conn.once("close", () => player[Symbol.dispose]());
    // A newer connection replaces the older one of the same id. Ids of different users differ, so that
    // nobody ends the connection of somebody else.
    const { name, password } = login;
    if (name === undefined) {
      client.id = `/${client.id}`;
      return;
    }
    try {
      client.id = `${await player.logIn(name, password)}/${client.id}`;
    } catch (error) {
      throw connectRefusal(error);
    }
  }
}

interface Login {
  readonly name: string | undefined;
  readonly password: string | undefined;
}

function outletOf(client: Client): Outlet {
  return {
    get isClosed() {
      return client.closed;
    },
    close: () => client.close(),
    send: (topic, message, qos) =>
      new Promise((resolve) => {
        const payload = encodeMessage(message);
        const packet = { cmd: "publish", topic, payload, qos, retain: false, dup: false } as const;
        // The client comes back when it can read, and is told again what it has missed.
        if (client.conn.writableLength > bounds.unsentBytes) client.conn.destroy();
        if (client.closed || client.conn.destroyed) resolve();
        else client.publish(packet, () => resolve());
      }),
  };
}

function connectRefusal(error: unknown): AuthenticateError {
  if (!(error instanceof ProtocolError)) return refusal(connack.unavailable, String(error));
  if (error.retry) return refusal(connack.unavailable, error.message);
  const isName = error.code === "name_invalid";
  return refusal(isName ? connack.nameWrong : connack.refused, error.message);
}

function refusal(returnCode: number, message: string): AuthenticateError {
  return Object.assign(new Error(message), { returnCode });
}
