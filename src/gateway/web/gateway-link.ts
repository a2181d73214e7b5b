import { ProtocolError } from "../../protocol/errors.ts";
import type { GatewayFrame } from "../core/frames.ts";
import { nowMs, random } from "./browser.ts";
import type { LinkState, LossReason } from "./core/page-model.ts";
import { retryDelay } from "./core/retry-delay.ts";
import { asError } from "./gateway-api.ts";

/** The codes with which a gateway closes a socket, and after which the page acts in its own way. */
const stopping = 4009;
const sessionEnded = 4101;

/** How long a try to connect, and an answer of the gateway to its own affairs, may take. */
const patienceMs = 10_000;

/**
 * How long a connection whose gateway can't serve is kept: the gateway may soon be ready again. The
 * random part keeps browsers from going to another gateway all at once.
 */
const hopeMs = () => 5_000 + 10_000 * random();

export interface LinkEvents {
  onState(state: LinkState): void;
  /** Called with each new connection, which has no subscriptions yet. */
  onOpen(): void;
  /** Called with each frame that answers no request. */
  onFrame(frame: GatewayFrame): void;
  onEnded(): void;
}

interface Waiting {
  readonly resolve: (frame: GatewayFrame) => void;
  readonly reject: (error: ProtocolError) => void;
}

/** The page's WebSocket to the gateway, which connects again until it is closed. */
export class GatewayLink {
  readonly #events: LinkEvents;
  #socket: WebSocket | undefined;
  #isConnected = false;
  /** When the page leaves the gateway, which can't serve; undefined if the gateway can. */
  #leaveAtMs: number | undefined;
  #isClosed = false;
  #failures = 0;
  #ref = 0;
  readonly #waiting = new Map<number, Waiting>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wanters: (() => void)[] = [];

  constructor(events: LinkEvents) {
    this.#events = events;
  }

  /** Connects now, also if the next try is due later. */
  connect(): void {
    if (this.#leaveAtMs !== undefined) this.#drop();
    if (this.#isClosed || this.#socket !== undefined) return;
    this.#events.onState({ state: "connecting" });
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/api/v1/ws`);
    this.#socket = socket;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#lose(socket), patienceMs);
    socket.onmessage = ({ data }) => this.#take(socket, JSON.parse(String(data)) as GatewayFrame);
    socket.onclose = ({ code }) => this.#lose(socket, code);
  }

  /** Resolves when the link is connected. */
  connected(): Promise<void> {
    if (this.#isConnected) return Promise.resolve();
    return new Promise((resolve) => this.#wanters.push(resolve));
  }

  /**
   * Sends a frame, and resolves with its answer.
   * @throws ProtocolError; `unavailable` without a connection
   */
  ask(frame: object): Promise<GatewayFrame> {
    const socket = this.#socket;
    if (!this.#isConnected || socket === undefined) return Promise.reject(notConnected());
    this.#ref += 1;
    const ref = this.#ref;
    socket.send(JSON.stringify({ ...frame, ref }));
    const answer = new Promise<GatewayFrame>((resolve, reject) => {
      this.#waiting.set(ref, { resolve, reject });
    });
    return answer.finally(() => this.#waiting.delete(ref));
  }

  /**
   * As `ask`, but without an answer in time the connection counts as lost: a browser does not notice
   * by itself that the other side is gone. The same holds if no server answers the gateway, which
   * then says why when the page connects again.
   */
  async pulse(frame: object, mostMs: number): Promise<GatewayFrame> {
    const socket = this.#socket;
    const timer = setTimeout(() => socket && this.#lose(socket), mostMs);
    try {
      return await this.ask(frame);
    } catch (error) {
      const isDead = error instanceof ProtocolError && error.code === "unavailable";
      if (isDead && socket !== undefined) this.#lose(socket);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#drop();
  }

  #take(socket: WebSocket, frame: GatewayFrame & { readonly ref?: number }): void {
    if (socket !== this.#socket) return;
    if (frame.type === "connected") return this.#begin(() => this.#events.onOpen());
    if (frame.type === "unready") return this.#hope(frame.reason);
    if (frame.type === "ready") return this.#leaveAtMs === undefined ? undefined : this.#begin();
    const waiting = frame.ref === undefined ? undefined : this.#waiting.get(frame.ref);
    if (waiting === undefined) return this.#events.onFrame(frame);
    // What a subscription delivers comes without `ref`, so it is handled before the answer.
    if (frame.type === "error") waiting.reject(asError(frame));
    else waiting.resolve(frame);
  }

  #begin(open = () => {}): void {
    clearTimeout(this.#timer);
    this.#isConnected = true;
    this.#leaveAtMs = undefined;
    this.#failures = 0;
    this.#events.onState({ state: "connected" });
    open();
    const wanters = this.#wanters;
    this.#wanters = [];
    for (const wanter of wanters) wanter();
  }

  /** Waits until the gateway is ready again, and after some time connects to any gateway. */
  #hope(detail: string): void {
    if (!this.#isConnected && this.#leaveAtMs === undefined) return;
    this.#isConnected = false;
    if (this.#leaveAtMs === undefined) {
      const waitMs = hopeMs();
      this.#leaveAtMs = nowMs() + waitMs;
      this.#timer = setTimeout(() => this.connect(), waitMs);
    }
    const retryAtMs = this.#leaveAtMs;
    this.#events.onState({ state: "lost", why: "unready", detail, retryAtMs });
  }

  #lose(socket: WebSocket, code?: number): void {
    if (socket !== this.#socket) return;
    clearTimeout(this.#timer);
    this.#drop();
    if (this.#isClosed) return;
    if (code === sessionEnded) return this.#events.onEnded();
    this.#failures += 1;
    const delayMs = retryDelay(this.#failures, random());
    const retryAtMs = nowMs() + delayMs;
    this.#timer = setTimeout(() => this.connect(), delayMs);
    const why = code === stopping ? "stopping" : "noGateway";
    this.#events.onState({ state: "lost", why, retryAtMs });
    if (why === "noGateway") void this.#explain(retryAtMs);
  }

  /** Asks the gateway itself why it can't be used, because a socket that fails tells no reason. */
  async #explain(retryAtMs: number): Promise<void> {
    // The browser may call itself offline although the gateway is on this machine.
    let why: LossReason = navigator.onLine ? "noGateway" : "offline";
    let detail: string | undefined;
    try {
      const response = await fetch("/readyz", { signal: AbortSignal.timeout(patienceMs) });
      const { ready, reasons } = (await response.json()) as { ready?: boolean; reasons?: string[] };
      why = ready ? "noSockets" : "unready";
      detail = ready ? undefined : reasons?.join(", ");
    } catch {
      // Nothing answers, so there is nothing to tell besides that.
    }
    // A gateway that is ready again may just have been restarted, so only repeated failures count.
    if (why === "noSockets" && this.#failures < 3) return;
    if (this.#socket === undefined && !this.#isClosed) {
      this.#events.onState({ state: "lost", why, detail, retryAtMs });
    }
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#isConnected = false;
    this.#leaveAtMs = undefined;
    if (socket !== undefined) {
      socket.onclose = null;
      socket.onmessage = null;
      socket.close();
    }
    for (const { reject } of [...this.#waiting.values()]) reject(notConnected());
  }
}

function notConnected(): ProtocolError {
  return new ProtocolError("unavailable", "There is no connection to a gateway.");
}
