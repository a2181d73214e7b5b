import type { RawData, WebSocket } from "ws";
import type { Session } from "../../client/session.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { ChannelName, RequestId, UserName } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { type ClientFrame, type GatewayFrame, parseClientFrame, readRef } from "../core/frames.ts";
import { type Credentials, parseToken } from "../credentials.ts";
import { readPosition } from "../position.ts";
import { Following } from "./following.ts";

/** Why a gateway closes a WebSocket. After codes below 4100, a client should connect again. */
export const closeCodes = {
  /** The gateway is being stopped. */
  stopping: 4009,
  /** The client reads too slowly. */
  tooSlow: 4008,
  /** The client has not answered a ping. */
  silent: 4010,
  /** The session has ended: log in again. */
  sessionEnded: 4101,
  /** The first frame was missing, or was no `connect`. */
  notConnected: 4102,
} as const;

export const pingMs = 25_000;
const connectMs = 10_000;
/** The most unsent bytes of a client that does not read. */
const mostUnsentBytes = 1_048_576;
/** The most frames of a client that wait for the cluster's answer. */
const mostOpen = 256;
const mostSubscriptions = 250;

export interface LiveSocketEvents {
  open(credentials: Credentials, events: SessionEvents): Session;
  /** Called with an error that only a defect explains. */
  onDefect(error: unknown): void;
  onClose(): void;
}

export interface SessionEvents {
  readonly onToken: (token: string) => void;
  readonly onRefused: (error: ProtocolError) => void;
}

/** A client's WebSocket: frames in, frames out. */
export class LiveSocket {
  readonly #socket: WebSocket;
  readonly #events: LiveSocketEvents;
  #session: Session | undefined;
  #following: Following | undefined;
  #isAlive = true;
  #waiting = 0;
  readonly #connectTimer: NodeJS.Timeout;

  constructor(socket: WebSocket, events: LiveSocketEvents) {
    this.#socket = socket;
    this.#events = events;
    this.#connectTimer = setTimeout(() => this.close("notConnected"), connectMs);
    socket.on("message", (data, isBinary) => this.#take(data, isBinary));
    socket.on("pong", () => {
      this.#isAlive = true;
    });
    socket.on("error", () => {});
    socket.on("close", () => this.#end());
  }

  /** Begins the session with the credentials of the HTTP request or of the frame `connect`. */
  async connect(credentials: Credentials, ref?: ClientFrame["ref"]): Promise<void> {
    clearTimeout(this.#connectTimer);
    this.#endSession();
    const session = this.#events.open(credentials, {
      onToken: (token) => this.#send({ type: "token", token }),
      onRefused: (error) => this.#fail(error),
    });
    this.#session = session;
    this.#following = new Following(session, (frame) => this.#send(frame));
    try {
      const time = await session.time();
      // A request that only a valid session may make.
      await session.ask("channels", { limit: 1 });
      const user = session.user ?? "";
      const told = { subscriptions: mostSubscriptions, open: mostOpen };
      const bounds = { ...told, frameBytes: limits.requestBytes, unsentBytes: mostUnsentBytes };
      this.#send({ type: "connected", user, time, ping: pingMs / 1_000, limits: bounds }, ref);
    } catch (error) {
      this.#fail(error, ref);
    }
  }

  /** Sends a ping; closes the socket if the ping before was not answered. */
  beat(): void {
    if (!this.#isAlive) return this.close("silent");
    this.#isAlive = false;
    this.#socket.ping();
  }

  close(why: keyof typeof closeCodes): void {
    this.#socket.close(closeCodes[why], why);
    // A client that does not read does not answer the closing handshake either.
    if (why !== "stopping") setTimeout(() => this.#socket.terminate(), 1_000).unref();
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
    if (frame.type === "connect") return this.connect(parseToken(frame.token), frame.ref);
    const [session, following] = [this.#session, this.#following];
    if (session === undefined || following === undefined) return this.close("notConnected");
    switch (frame.type) {
      case "subscribe":
        return this.#subscribe(following, frame);
      case "unsubscribe":
        following.unfollow(frame.conversation);
        return this.#send({ type: "unsubscribed", conversation: frame.conversation }, frame.ref);
      case "publish":
        return this.#publish(session, frame);
      case "presence":
        return this.#send(
          { type: "present", present: await session.presence(frame.state) },
          frame.ref,
        );
      default:
        frame satisfies never;
    }
  }

  async #subscribe(
    following: Following,
    { conversation, position, last, ref }: ClientFrame & { readonly type: "subscribe" },
  ): Promise<void> {
    if (following.size >= mostSubscriptions) {
      throw new ProtocolError("too_large", `A socket may have ${mostSubscriptions} subscriptions.`);
    }
    const since = position === undefined ? undefined : readPosition(position, "position");
    const caughtUp = await following.follow(conversation, { since, last });
    this.#send({ type: "caught_up", conversation, position: caughtUp }, ref);
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
    this.#send({ type: "receipt", entry }, ref);
  }

  #fail(cause: unknown, ref?: ClientFrame["ref"]): void {
    const isKnown = cause instanceof ProtocolError;
    if (!isKnown) this.#events.onDefect(cause);
    const error = isKnown ? cause : new ProtocolError("internal", "The gateway failed.");
    const { code, message: title, retry, wait, reason } = error;
    this.#send({ type: "error", code, title, retry, wait, reason }, ref);
    if (code === "unauthenticated") this.close("sessionEnded");
  }

  #send(frame: GatewayFrame, ref?: ClientFrame["ref"]): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#socket.send(JSON.stringify(ref === undefined ? frame : { ...frame, ref }));
    if (this.#socket.bufferedAmount > mostUnsentBytes) this.close("tooSlow");
  }

  #endSession(): void {
    this.#session?.close();
    this.#session = undefined;
    this.#following = undefined;
  }

  #end(): void {
    clearTimeout(this.#connectTimer);
    this.#endSession();
    this.#events.onClose();
  }
}
