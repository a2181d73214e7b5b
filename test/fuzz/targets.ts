import { setTimeout as pause } from "node:timers/promises";
import { Dealer, Subscriber, XPublisher, XSubscriber } from "zeromq";
import { connect } from "../../src/net/connect.ts";
import { decode, encode } from "../../src/protocol/codec.ts";
import { limits } from "../../src/protocol/limits.ts";
import { until } from "../support/until.ts";

/** A socket of the cluster, to which mutants are sent. */
export interface Target extends Disposable {
  send(frames: readonly Buffer[]): Promise<void>;
  /** Resolves when everything that was sent has been read. @throws Error if nobody reads it */
  settled(): Promise<void>;
}

const options = { linger: 0, sendHighWaterMark: 0, receiveHighWaterMark: 0 };
/** The fields of the reply to a mark. */
interface Answer {
  readonly clock: number;
  readonly server?: string;
  readonly name?: string;
}

/** Milliseconds to wait for the answer to a mark before another mark is sent. */
const markMs = 1_000;
const patienceMs = 30_000;

async function readAll(
  socket: AsyncIterable<Buffer[]>,
  take: (frames: Buffer[]) => void = () => {},
): Promise<void> {
  try {
    for await (const frames of socket) take(frames);
  } catch {
    // The socket was closed.
  }
}

/**
 * A target that answers. After the frames comes a question with a mark in its envelope. A
 * connection keeps the order, so the answer proves that all frames before were read.
 */
export class Answering implements Target {
  readonly #name: string;
  readonly #socket = new Dealer(options);
  readonly #question: Buffer;
  readonly #answerers: number;
  /** The highest clock in the answers. */
  clock = 0;
  /** For each mark, the name of the process that answered. */
  readonly #answers = new Map<string, string>();
  #marks = 0;

  /** @param answerers the number of processes that read the frames in turn */
  constructor(name: string, endpoint: string, { service = "health", answerers = 1 } = {}) {
    this.#name = name;
    this.#answerers = answerers;
    this.#question = Buffer.from(encode({ service, data: {} }));
    connect(this.#socket, [endpoint]);
    void readAll(this.#socket, (frames) => {
      const [mark = "", delimiter, payload] = frames;
      if (delimiter?.length !== 0 || payload === undefined) return;
      if (!mark.toString().startsWith("mark ")) return;
      const { data } = decode(payload) as { data: Answer };
      this.clock = Math.max(this.clock, data.clock);
      this.#answers.set(mark.toString(), data.server ?? data.name ?? "");
    });
  }

  send(frames: readonly Buffer[]): Promise<void> {
    return this.#socket.send([...frames]);
  }

  async settled(): Promise<void> {
    this.#answers.clear();
    const giveUpMs = performance.now() + patienceMs;
    for (const answered = new Set<string>(); answered.size < this.#answerers; ) {
      if (performance.now() > giveUpMs) throw new Error(`${this.#name} does not answer`);
      const marks = Array.from({ length: this.#answerers }, (_, at) => `mark ${this.#marks + at}`);
      this.#marks += this.#answerers;
      for (const mark of marks) await this.#socket.send([mark, "", this.#question]);
      const areAnswered = () => marks.every((mark) => this.#answers.has(mark));
      await until(areAnswered, "answers", markMs).catch(() => {});
      for (const name of this.#answers.values()) answered.add(name);
    }
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/**
 * The broker's side for servers. The broker gives requests to every connection there, so this
 * target connects only while it sends all its frames at once.
 */
export class BrokerBack implements Target {
  readonly #back: string;
  readonly #client: Dealer;
  readonly #waiting: Buffer[][] = [];
  readonly #heard = new Set<string>();
  #marks = 0;

  constructor(front: string, back: string) {
    this.#back = back;
    this.#client = new Dealer(options);
    this.#client.connect(front);
    void readAll(this.#client, (frames) => this.#heard.add(String(frames.at(-1))));
  }

  async send(frames: readonly Buffer[]): Promise<void> {
    this.#waiting.push([...frames]);
  }

  async settled(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const socket = new Dealer(options);
    const connected = new Promise((resolve) => socket.events.on("handshake", resolve));
    connect(socket, [this.#back]);
    const mark = `mark ${this.#marks}`;
    this.#marks += 1;
    // The answer to this target's own request is sent after all frames, so the client gets it last.
    let isSent = false;
    void readAll(socket, (frames) => {
      if (isSent && frames.at(-1)?.toString() === mark) void socket.send(frames).catch(() => {});
    });
    await Promise.race([connected, pause(markMs)]);
    for (const frames of this.#waiting.splice(0)) await socket.send(frames);
    isSent = true;
    this.#heard.clear();
    const giveUpMs = performance.now() + patienceMs;
    while (!this.#heard.has(mark)) {
      if (performance.now() > giveUpMs) throw new Error("the broker forwards nothing");
      await this.#client.send(["", mark]);
      await until(() => this.#heard.has(mark), "the mark", 200).catch(() => {});
    }
    socket.close();
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

/** The proxy's side for publishers; it also receives the subscriptions that the proxy reports. */
export class ProxyIn implements Target {
  readonly #socket = new XPublisher(options);
  readonly #listener = new Subscriber({ linger: 0, receiveHighWaterMark: 0 });
  /** The marks that the proxy has forwarded, in both directions, since the last mark. */
  readonly #heard = new Set<string>();
  #marks = 0;

  constructor(front: string, back: string) {
    connect(this.#socket, [front]);
    this.#listener.connect(back);
    this.#listener.subscribe("fuzz mark ");
    void readAll(this.#socket, ([frame]) => {
      if (frame?.includes("fuzz mark ")) this.#heard.add(frame.toString("utf8", 1));
    });
    void readAll(this.#listener, ([topic]) => this.#heard.add(String(topic)));
  }

  send(frames: readonly Buffer[]): Promise<void> {
    return this.#socket.send([...frames]);
  }

  async settled(): Promise<void> {
    const mark = this.newMark();
    await this.hears(mark, () => this.#socket.send([mark, ""]));
  }

  /** A topic that nobody else uses. */
  newMark(): string {
    this.#marks += 1;
    return `fuzz mark ${this.#marks} `;
  }

  /** Repeats `say` until the proxy has forwarded the mark. */
  async hears(mark: string, say: () => Promise<void>): Promise<void> {
    const giveUpMs = performance.now() + patienceMs;
    while (!this.#heard.has(mark)) {
      if (performance.now() > giveUpMs) throw new Error("the proxy forwards nothing");
      await say();
      await until(() => this.#heard.has(mark), "the mark", 200).catch(() => {});
    }
    this.#heard.clear();
  }

  [Symbol.dispose](): void {
    this.#socket.close();
    this.#listener.close();
  }
}

/** The proxy's side for subscribers. A connection's subscriptions end with the connection. */
export class ProxyOut implements Target {
  readonly #endpoint: string;
  readonly #publishers: ProxyIn;
  #socket: XSubscriber;

  constructor(endpoint: string, publishers: ProxyIn) {
    this.#endpoint = endpoint;
    this.#publishers = publishers;
    this.#socket = this.#connect();
  }

  #connect(): XSubscriber {
    const socket = new XSubscriber(options);
    socket.connect(this.#endpoint);
    void readAll(socket);
    return socket;
  }

  send(frames: readonly Buffer[]): Promise<void> {
    return this.#socket.send([...frames]);
  }

  async settled(): Promise<void> {
    const mark = this.#publishers.newMark();
    const subscription = Buffer.concat([Buffer.of(1), Buffer.from(mark)]);
    await this.#publishers.hears(mark, () => this.#socket.send([subscription]));
    this.#socket.close();
    this.#socket = this.#connect();
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/**
 * Whether libzmq would send these frames: it closes the connection for a frame above its limit
 * (W7).
 */
export function isSendable(frames: readonly Buffer[]): boolean {
  return frames.length > 0 && frames.every(({ length }) => length <= limits.frameBytes);
}
