import type { Duplex } from "node:stream";
import type { RawData, WebSocket } from "ws";
import type { Session } from "../../client/session.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { ChannelName, RequestId, UserName } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { type ClientFrame, type GatewayFrame, parseClientFrame, readRef } from "../core/frames.ts";
import { type Credentials, parseToken } from "../credentials.ts";
import type { Games } from "../games.ts";
import { userOf } from "../people.ts";
import { readPosition } from "../position.ts";
import { DuelSeat } from "./duel-seat.ts";
import type { Flusher } from "./flusher.ts";
import { endOf, Following } from "./following.ts";
import type { LiveConnection } from "./live-connections.ts";
import type { MessageFrames } from "./message-frames.ts";
import { textFrame } from "./text-frame.ts";

/** Why a gateway closes a WebSocket. After codes below 4100, a client should connect again. */
export const closeCodes = {
  /** The gateway is being stopped. */
  stopping: 4009,
  /** The client reads too slowly. */
  tooSlow: 4008,
  /** The client has not answered a ping. */
  silent: 4010,
  /** The cluster could not answer the frame `connect`. */
  unavailable: 4011,
  /** The session has ended: log in again. */
  sessionEnded: 4101,
  /** The first frame was missing, was no `connect`, or was refused. */
  notConnected: 4102,
} as const;

export type CloseReason = keyof typeof closeCodes;

export const pingMs = 25_000;
const connectMs = 10_000;
/** The most unsent bytes of a client that does not read. */
const mostUnsentBytes = 1_048_576;
/** The most frames of a client that wait for the cluster's answer. */
const mostOpen = 256;
/** How long a closed client may take to read what was sent, and to answer the closing handshake. */
const farewellMs = 2_000;

interface LiveSocketParts {
  /** The connection below the WebSocket. */
  readonly raw: Duplex;
  /** What all sockets of a gateway share. */
  readonly frames: MessageFrames;
  readonly flusher: Flusher;
  readonly games: Games;
  readonly pingMs: number;
  open(credentials: Credentials, events: SessionEvents): Session;
  /** Called with an error that only a defect explains. */
  onDefect(error: unknown): void;
  /** @param why the reason if the gateway has closed the socket */
  onClose(why: CloseReason | undefined): void;
}

interface SessionEvents {
  readonly onToken: (token: string) => void;
  readonly onRefused: (error: ProtocolError) => void;
}

interface ConnectOptions {
  readonly ref?: ClientFrame["ref"];
  /** Whether the client gets renewed tokens. The scripts of a page must not get those of its cookie. */
  readonly tellsToken: boolean;
}

/** A client's WebSocket: frames in, frames out. */
export class LiveSocket implements LiveConnection {
  readonly #socket: WebSocket;
  readonly #parts: LiveSocketParts;
  #session: Session | undefined;
  #following: Following | undefined;
  #duel: DuelSeat | undefined;
  #token: string | undefined;
  #isAlive = true;
  /** Whether the client's last report of its presence was not `gone`. */
  #isPresent = false;
  #waiting = 0;
  #closedFor: CloseReason | undefined;
  readonly #connectTimer: NodeJS.Timeout;
  readonly #beats: NodeJS.Timeout;

  constructor(socket: WebSocket, parts: LiveSocketParts) {
    this.#socket = socket;
    this.#parts = parts;
    this.#connectTimer = setTimeout(() => this.close("notConnected"), connectMs);
    this.#beats = setInterval(() => this.#beat(), parts.pingMs);
    socket.on("message", (data, isBinary) => this.#take(data, isBinary));
    socket.on("pong", () => {
      this.#isAlive = true;
    });
    socket.on("error", () => {});
    socket.on("close", () => this.#end());
  }

  /** Begins the session with the credentials of the HTTP request or of the frame `connect`. */
  async connect(credentials: Credentials, { ref, tellsToken }: ConnectOptions): Promise<void> {
    clearTimeout(this.#connectTimer);
    try {
      this.#token = credentials.token;
      const session = this.#parts.open(credentials, {
        onToken: (token) => {
          this.#token = token;
          if (tellsToken) this.send({ type: "token", token });
        },
        onRefused: (error) => this.#fail(error),
      });
      this.#session = session;
      this.#following = new Following(session, {
        tell: (frame) => this.send(frame),
        deliver: (...message) => this.#write(this.#parts.frames.of(...message)),
      });
      await this.#greet(session, ref);
    } catch (error) {
      this.#fail(error, ref);
      const isRetried = error instanceof ProtocolError && error.retry;
      this.close(isRetried ? "unavailable" : "notConnected");
    }
  }

  stop(): void {
    this.close("stopping");
  }

  close(why: CloseReason): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#closedFor = why;
    // The frame that closes the socket must come after all others.
    this.#parts.flusher.flush(this.#parts.raw);
    this.#socket.close(closeCodes[why], why);
    this.#endSession();
    // A client that does not read does not answer the closing handshake either.
    setTimeout(() => this.#socket.terminate(), farewellMs).unref();
  }

  async #greet(session: Session, ref: ClientFrame["ref"]): Promise<void> {
    // The second request is one that only a valid session may make.
    const [time] = await Promise.all([session.time(), session.ask("channels", { limit: 1 })]);
    const ping = this.#parts.pingMs / 1_000;
    const bounds = {
      subscriptions: Following.most,
      open: mostOpen,
      frameBytes: limits.requestBytes,
      unsentBytes: mostUnsentBytes,
    };
    this.send({ type: "connected", user: session.user ?? "", time, ping, limits: bounds }, ref);
  }

  /** Sends a ping; closes the socket if the ping before was not answered. */
  #beat(): void {
    if (!this.#isAlive) return this.close("silent");
    this.#isAlive = false;
    this.#socket.ping();
    if (this.#session !== undefined) void this.#check(this.#session);
  }

  /** Ends the connection if its session has ended, for example by a new password. */
  async #check(session: Session): Promise<void> {
    const error = await endOf(session);
    if (error !== undefined) this.#fail(error);
  }

  #take(data: RawData, isBinary: boolean): void {
    const text = isBinary ? "" : String(data);
    let frame: ClientFrame;
    try {
      frame = parseClientFrame(text);
    } catch (error) {
      return this.#fail(error, readRef(text));
    }
    const { ref } = frame;
    if (this.#waiting >= mostOpen) {
      const sentence = `At most ${mostOpen} frames may wait for an answer.`;
      return this.#fail(new ProtocolError("rate_limited", sentence, { wait: 1 }), ref);
    }
    this.#waiting += 1;
    void this.#answer(frame)
      .catch((error) => this.#fail(error, ref))
      .finally(() => {
        this.#waiting -= 1;
      });
  }

  async #answer(frame: ClientFrame): Promise<void> {
    if (frame.type === "connect") return this.#connectOnce(frame);
    const [session, following] = [this.#session, this.#following];
    if (session === undefined || following === undefined) return this.close("notConnected");
    switch (frame.type) {
      case "subscribe":
        return this.#subscribe(following, frame);
      case "unsubscribe":
        following.unfollow(frame.conversation);
        return this.send({ type: "unsubscribed", conversation: frame.conversation }, frame.ref);
      case "publish":
        return this.#publish(session, frame);
      case "presence":
        this.#isPresent = frame.state !== "gone";
        return this.send(
          { type: "present", present: await session.presence(frame.state) },
          frame.ref,
        );
      case "duel":
        return this.#seat(session).follow(frame);
      case "act":
        return this.#seat(session).act(frame);
      default:
        frame satisfies never;
    }
  }

  #connectOnce({ token, ref }: ClientFrame & { readonly type: "connect" }): Promise<void> {
    if (this.#session === undefined) {
      return this.connect(parseToken(token), { ref, tellsToken: true });
    }
    const sentence = "The socket is connected already: open another one for another token.";
    throw new ProtocolError("bad_request", sentence);
  }

  async #subscribe(
    following: Following,
    { conversation, position, last, ref }: ClientFrame & { readonly type: "subscribe" },
  ): Promise<void> {
    const since = position === undefined ? undefined : readPosition(position, "position");
    const caughtUp = await following.follow(conversation, { since, last });
    this.send({ type: "caught_up", conversation, position: caughtUp }, ref);
  }

  async #publish(
    session: Session,
    { conversation, message, id, ref }: ClientFrame & { readonly type: "publish" },
  ): Promise<void> {
    const name = conversation.slice(1);
    const options: { readonly id?: RequestId } = id === undefined ? {} : { id };
    const entry = conversation.startsWith("#")
      ? await session.publish(name as ChannelName, message, options)
      : await session.message(name as UserName, message, options);
    this.send({ type: "receipt", entry }, ref);
  }

  #seat(session: Session): DuelSeat {
    this.#duel ??= new DuelSeat(
      this.#parts.games.player(userOf(session), () => this.#token),
      {
        send: (frame, ref) => this.send(frame, ref),
        fail: (error, ref) => this.#fail(error, ref),
      },
    );
    return this.#duel;
  }

  #fail(cause: unknown, ref?: ClientFrame["ref"]): void {
    const isKnown = cause instanceof ProtocolError;
    if (!isKnown) this.#parts.onDefect(cause);
    const error = isKnown ? cause : new ProtocolError("internal", "The gateway failed.");
    const { code, message: title, retry, wait, reason } = error;
    this.send({ type: "error", code, title, retry, wait, reason }, ref);
    if (code === "unauthenticated") this.close("sessionEnded");
  }

  send(frame: GatewayFrame, ref?: ClientFrame["ref"]): void {
    this.#write(textFrame(JSON.stringify(ref === undefined ? frame : { ...frame, ref })));
  }

  #write(bytes: Buffer): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    const { raw, flusher } = this.#parts;
    flusher.write(raw, bytes);
    if (raw.writableLength > mostUnsentBytes) this.close("tooSlow");
  }

  #endSession(): void {
    const [session, following] = [this.#session, this.#following];
    this.#session = undefined;
    this.#following = undefined;
    this.#duel?.end();
    this.#duel = undefined;
    if (session === undefined) return;
    if (!this.#isPresent) return session.close();
    following?.end();
    // Without this report the person would count as present for 30 s more.
    void session
      .presence("gone")
      .catch(() => {})
      .finally(() => session.close());
  }

  #end(): void {
    clearTimeout(this.#connectTimer);
    clearInterval(this.#beats);
    this.#endSession();
    this.#parts.onClose(this.#closedFor);
  }
}
