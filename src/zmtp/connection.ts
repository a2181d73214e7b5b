import { clientHandshake, type HandshakeParts, serverHandshake } from "./choose-handshake.ts";
import {
  commandBody,
  encodeCommand,
  encodeMessage,
  encodePieces,
  FrameReader,
  hasMore,
  isCommand,
  readCommand,
} from "./frames.ts";
import {
  type Greeting,
  greetingBytes,
  greetingStart,
  readGreeting,
  restOfGreeting,
  restOfOlderGreeting,
} from "./greeting.ts";
import type { Channel, Credentials, Door, Handshake } from "./handshake.ts";
import { type Metadata, readMetadata, type SocketType } from "./metadata.ts";
import { Refused } from "./refused.ts";

/** Bounds for the messages of a peer. */
export interface Bounds {
  readonly frameBytes: number;
  /** The most frames of one message, and the most bytes of all its frames. */
  readonly frames: number;
  readonly messageBytes: number;
}

export interface ConnectionOptions extends HandshakeParts {
  /** The socket types of peers that may connect. */
  readonly peers: readonly SocketType[];
  /** Of the bound side, the accepted ways to connect; of the connecting side, what it presents. */
  readonly security: Security;
  readonly bounds: Bounds;
}

/** A bound side has doors, of which a peer may use any; a connecting side has a credentials. */
export type Security = { readonly doors: readonly Door[] } | { readonly credentials: Credentials };

interface ConnectionEvents {
  write(bytes: Buffer): void;
  /** Called when the handshake has succeeded. */
  onReady(): void;
  onMessage(frames: Buffer[]): void;
}

/** The most bytes of a command in a handshake: far more than the longest command, INITIATE, has. */
const handshakeBytes = 2_048;
const pongContextBytes = 16;
const pingTtlBytes = 2;

/**
 * A message for one or many connections. All connections without encryption share one encoding of
 * the message.
 */
export class Outgoing {
  readonly frames: readonly Uint8Array[];
  #pieces: readonly Buffer[] | undefined;

  constructor(frames: readonly Uint8Array[]) {
    this.frames = frames;
  }

  /** The encoded message, unencrypted, in one or more pieces. */
  get pieces(): readonly Buffer[] {
    this.#pieces ??= encodePieces(this.frames);
    return this.#pieces;
  }
}

/**
 * One side of a connection in ZMTP 3.x (RFC 37). The bound side also speaks ZMTP 2.0 (RFC 15) if
 * every process may connect. The class turns bytes into messages and messages into bytes, without a socket or a
 * clock.
 *
 *     greeting ──▶ handshake ──▶ ready
 *
 * `receive` throws `Refused` for bytes that break the protocol or a bound, before these bytes are
 * stored. The caller must then close the connection.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #events: ConnectionEvents;
  readonly #reader = new FrameReader(handshakeBytes);
  #greeting = Buffer.alloc(0);
  #handshake: Handshake | undefined;
  #channel: Channel | undefined;
  #peerMinor = 0;
  /**
   * The socket type of a ZMTP 2.0 peer; the peer's name comes next, then messages. Undefined for
   * newer peers.
   */
  #olderType: string | undefined;
  #isReady = false;
  #identity = "";
  #frames: Buffer[] = [];
  #messageBytes = 0;
  /** The context of the last PING that this side has not answered yet. */
  #pong: Buffer | undefined;

  constructor(options: ConnectionOptions, events: ConnectionEvents) {
    this.#options = options;
    this.#events = events;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** The name that the peer gives itself (Z2), one character per byte; empty if none. */
  get identity(): string {
    return this.#identity;
  }

  /** Bytes of memory that the peer's unfinished message takes. */
  get heldBytes(): number {
    return this.#reader.heldBytes + this.#messageBytes;
  }

  /** Whether the peer answers heartbeats, which exist since ZMTP 3.1. */
  get knowsHeartbeats(): boolean {
    return this.#isReady && this.#peerMinor > 0;
  }

  /**
   * Writes the greeting. A bound side writes only its beginning; the rest, with its mechanism, is
   * written when the peer's mechanism is known. So a socket can have doors with several mechanisms.
   * If no door has the peer's mechanism, the peer receives the mechanism of a door, so both sides
   * notice the mismatch.
   */
  start(): void {
    const { security } = this.#options;
    this.#events.write(greetingStart);
    if ("credentials" in security)
      this.#events.write(restOfGreeting(security.credentials.mechanism, false));
  }

  /** @throws Refused if the bytes break the protocol or a bound */
  receive(chunk: Buffer): void {
    const rest = this.#handshake === undefined ? this.#greet(chunk) : chunk;
    if (rest.length > 0) this.#reader.read(rest, (body, flags) => this.#take(body, flags));
    if (this.#frames.length > 0) this.#frames = this.#frames.map(withoutTheRest);
    if (this.#pong === undefined) return;
    this.#command("PONG", this.#pong);
    this.#pong = undefined;
  }

  send(message: Outgoing): void {
    const channel = this.#channel;
    if (channel === undefined) {
      for (const piece of message.pieces) this.#events.write(piece);
      return;
    }
    const last = message.frames.length - 1;
    for (const [index, frame] of message.frames.entries()) {
      for (const piece of encodePieces([channel.seal(false, index < last, frame)])) {
        this.#events.write(piece);
      }
    }
  }

  /** Sends a PING. The peer must answer with a PONG. */
  ping(): void {
    this.#command("PING", Buffer.alloc(pingTtlBytes));
  }

  /** @returns the bytes after the greeting; no bytes while the greeting is unfinished */
  #greet(chunk: Buffer): Buffer {
    const bytes = Buffer.concat([this.#greeting, chunk]);
    const greeting = readGreeting(bytes.subarray(0, greetingBytes));
    this.#greeting = greeting === undefined ? bytes : Buffer.alloc(0);
    if (greeting === undefined) return Buffer.alloc(0);
    const { security } = this.#options;
    this.#peerMinor = greeting.minor;
    if ("credentials" in security) this.#call(security.credentials, greeting);
    else this.#answer(security.doors, greeting);
    return bytes.subarray(greeting.bytes);
  }

  /** Begins the handshake as the connecting side. */
  #call(credentials: Credentials, { mechanism }: Greeting): void {
    if (mechanism !== credentials.mechanism) {
      const isKeyWanted = mechanism === "CURVE" || credentials.mechanism === "NULL";
      const because = isKeyWanted ? "keyWanted" : "keyUnwanted";
      throw new Refused(because, "another mechanism");
    }
    this.#handshake = clientHandshake(credentials, this.#options);
    const { first } = this.#handshake;
    if (first !== undefined) this.#events.write(encodeCommand(...first));
  }

  /** Begins the handshake as the bound side. */
  #answer(doors: readonly Door[], greeting: Greeting): void {
    const { olderType } = greeting;
    const isFitting = ({ mechanism }: Door) => mechanism === greeting.mechanism;
    const { mechanism } = doors.find(isFitting) ?? doors[0] ?? { mechanism: "NULL" };
    this.#events.write(
      olderType === undefined
        ? restOfGreeting(mechanism, true)
        : restOfOlderGreeting(this.#options.socketType),
    );
    if (!doors.some(isFitting)) {
      const isEncrypted = doors.some((door) => door.mechanism === "CURVE");
      throw new Refused(isEncrypted ? "keyWanted" : "memberWanted", "another mechanism");
    }
    this.#handshake = serverHandshake(doors.filter(isFitting), this.#options);
    this.#olderType = olderType;
  }

  #take(body: Buffer, flags: number): void {
    if (!this.#isReady) return this.#shake(body, flags);
    if (this.#channel === undefined) {
      return isCommand(flags) ? this.#obey(body) : this.#gather(body, hasMore(flags));
    }
    const opened = this.#channel.open(body);
    if (opened.isCommand) this.#obey(opened.body);
    else this.#gather(opened.body, opened.more);
  }

  #gather(body: Buffer, more: boolean): void {
    const { frames, messageBytes } = this.#options.bounds;
    this.#messageBytes += body.length;
    if (this.#frames.length === frames || this.#messageBytes > messageBytes) {
      throw new Refused("tooLarge", `a message of more than ${frames} frames or too many bytes`);
    }
    this.#frames.push(body);
    if (more) return;
    const message = this.#frames;
    this.#frames = [];
    this.#messageBytes = 0;
    this.#events.onMessage(message);
  }

  #shake(body: Buffer, flags: number): void {
    if (this.#olderType !== undefined) {
      if (flags > 2 || hasMore(flags)) throw new Refused("malformed", "a name in several frames");
      return this.#admit({ socketType: this.#olderType, identity: body.toString("latin1") });
    }
    if (!isCommand(flags)) throw new Refused("malformed", "a message before the handshake's end");
    const { name, rest } = readCommand(body);
    const { answer, metadata, channel } = (this.#handshake as Handshake).take(name, rest);
    if (answer !== undefined) this.#events.write(encodeCommand(...answer));
    if (metadata !== undefined) this.#admit(readMetadata(metadata), channel);
  }

  #admit({ socketType, identity }: Metadata, channel?: Channel): void {
    if (!this.#options.peers.some((one) => one === socketType)) {
      throw new Refused("otherSocket", "a socket of another type");
    }
    this.#channel = channel;
    this.#identity = identity;
    this.#isReady = true;
    this.#reader.frameBytes = this.#options.bounds.frameBytes + (channel?.overhead ?? 0);
    this.#events.onReady();
  }

  #obey(body: Buffer): void {
    const { name, rest } = readCommand(body);
    switch (name) {
      case "PING":
        // All PINGs of one chunk get one PONG, because a PONG is only a sign of life.
        this.#pong = rest.subarray(pingTtlBytes, pingTtlBytes + pongContextBytes);
        return;
      case "SUBSCRIBE":
        return this.#subscription(1, rest);
      case "CANCEL":
        return this.#subscription(0, rest);
      default:
      // A PONG needs no handling: any received bytes are a sign of life. Unknown commands are
      // ignored.
    }
  }

  /**
   * Turns a subscription command into the message that a peer with ZMTP 3.0 sends instead. Sockets
   * other than an XPUB ignore the command.
   */
  #subscription(first: 0 | 1, topic: Buffer): void {
    if (this.#options.socketType !== "XPUB") return;
    if (topic.length + 1 > this.#options.bounds.messageBytes) {
      throw new Refused("tooLarge", `a topic of ${topic.length} bytes`);
    }
    this.#events.onMessage([Buffer.concat([Buffer.from([first]), topic])]);
  }

  #command(name: string, rest: Uint8Array): void {
    const sealed = this.#channel?.seal(true, false, commandBody(name, rest));
    this.#events.write(sealed ? encodeMessage([sealed]) : encodeCommand(name, rest));
  }
}

/**
 * Returns a frame of an unfinished message. If the frame fills less than half of its buffer,
 * returns a copy, so that the buffer can be freed.
 */
function withoutTheRest(frame: Buffer): Buffer {
  if (frame.buffer.byteLength <= 2 * frame.length) return frame;
  const copy = Buffer.allocUnsafeSlow(frame.length);
  frame.copy(copy);
  return copy;
}
