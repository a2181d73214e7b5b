import { WebSocket } from "ws";
import type { GatewayFrame } from "../../src/gateway/core/frames.ts";
import { until } from "./until.ts";

type Type = GatewayFrame["type"];
export type Frame<T extends Type = Type> = Extract<GatewayFrame, { readonly type: T }> & {
  readonly ref?: string | number;
};

interface LiveClientOptions {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly onFrame?: (frame: Frame) => void;
}

/** A WebSocket to a gateway, as a program without this project's code uses it. */
export class LiveClient implements Disposable {
  readonly socket: WebSocket;
  readonly frames: Frame[] = [];
  /** The code and the reason with which the socket was closed. */
  closed: readonly [code: number, reason: string] | undefined;
  /** The HTTP status of a refused upgrade. */
  refusal: number | undefined;
  #refs = 0;

  constructor(gateway: string, { token, headers, onFrame }: LiveClientOptions = {}) {
    const credentials = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const url = `${gateway.replace("http:", "ws:")}/api/v1/ws`;
    this.socket = new WebSocket(url, { headers: { ...credentials, ...headers } });
    this.socket.on("message", (data) => {
      const frame = JSON.parse(String(data)) as Frame;
      if (onFrame === undefined) this.frames.push(frame);
      else onFrame(frame);
    });
    this.socket.on("unexpected-response", (_request, response) => {
      this.refusal = response.statusCode;
      this.socket.terminate();
    });
    this.socket.on("error", () => {});
    this.socket.on("close", (code, reason) => {
      this.closed = [code, String(reason)];
    });
  }

  send(frame: object): void {
    this.socket.send(JSON.stringify(frame));
  }

  /** Sends a frame and returns its answer, which may be an error. */
  async ask(frame: object): Promise<Frame> {
    this.#refs += 1;
    const ref = this.#refs;
    this.send({ ...frame, ref });
    const answer = () => this.frames.find((one) => one.ref === ref);
    await until(() => answer() !== undefined, `the answer to ${JSON.stringify(frame)}`);
    return answer() as Frame;
  }

  of<T extends Type>(type: T): Frame<T>[] {
    return this.frames.filter((frame) => frame.type === type) as Frame<T>[];
  }

  get texts(): string[] {
    return this.of("message").map(({ entry }) => entry.message);
  }

  /** Resolves when the socket is open and the session is accepted. */
  async connected(): Promise<Frame<"connected">> {
    await until(() => this.of("connected").length > 0, "connected");
    return this.of("connected")[0] as Frame<"connected">;
  }

  /** @returns the code with which the gateway closed the socket */
  async code(): Promise<number> {
    await until(() => this.closed !== undefined, "the socket is closed", 20_000);
    return this.closed?.[0] ?? 0;
  }

  [Symbol.dispose](): void {
    this.socket.terminate();
  }
}

interface ResumingOptions {
  /** The gateways' addresses; the client goes to the next one when a socket ends. */
  readonly gateways: () => readonly string[];
  readonly token: string;
  readonly conversation: string;
  readonly onMessage: (frame: Frame<"message">) => void;
  /** Called each time that the subscription has caught up. */
  readonly onCaughtUp: (gateway: string) => void;
}

const connectMs = 2_000;
const againMs = 50;

/** A client that goes on at another gateway, from its position, whenever its socket ends. */
export class ResumingClient implements Disposable {
  readonly #options: ResumingOptions;
  #live: LiveClient | undefined;
  #position: string | undefined;
  #tries = 0;
  #isOver = false;
  /** The number of subscriptions that the gateway could not resume, and of later gaps. */
  breaks = 0;

  constructor(options: ResumingOptions) {
    this.#options = options;
    this.#open();
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#live?.[Symbol.dispose]();
  }

  #open(): void {
    if (this.#isOver) return;
    const { gateways, token } = this.#options;
    const all = gateways();
    const gateway = all[this.#tries % all.length] ?? "";
    this.#tries += 1;
    const live = new LiveClient(gateway, {
      token,
      onFrame: (frame) => {
        if (this.#live === live) this.#take(frame, gateway);
      },
    });
    this.#live = live;
    const timer = setTimeout(() => live.socket.terminate(), connectMs);
    live.socket.once("open", () => clearTimeout(timer));
    live.socket.once("close", () => {
      clearTimeout(timer);
      setTimeout(() => this.#open(), againMs);
    });
  }

  #take(frame: Frame, gateway: string): void {
    const { conversation, onMessage, onCaughtUp } = this.#options;
    switch (frame.type) {
      case "connected":
        this.#live?.send({ type: "subscribe", conversation, position: this.#position });
        return;
      case "subscribed":
        if (!frame.recovered) this.breaks += 1;
        return;
      case "gap":
        this.breaks += 1;
        return;
      case "message":
        this.#position = frame.position;
        onMessage(frame);
        return;
      case "caught_up":
        this.#position = frame.position;
        onCaughtUp(gateway);
        return;
      case "error":
        this.#live?.socket.terminate();
    }
  }
}
