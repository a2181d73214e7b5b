import { Feeds } from "../../src/client/feeds.ts";
import { RequestQueue } from "../../src/client/request-queue.ts";
import { SealOpener } from "../../src/client/seal-opener.ts";
import { Session, type SessionOptions } from "../../src/client/session.ts";
import type { RequestPipeEvents } from "../../src/net/request-pipe.ts";
import { decode, encode } from "../../src/protocol/codec.ts";
import { LamportClock } from "../../src/protocol/lamport-clock.ts";
import type { Publication } from "../../src/protocol/publications.ts";
import type { Vector } from "../../src/protocol/vector.ts";
import { serverName } from "./event-lines.ts";
import type { StandInRequest } from "./stand-in-server.ts";

const server = serverName(1);
const answerMs = 1;

/** The channel of a stand-in cluster, by its name and by its topic. */
export const standInChannel = { channel: "geral" as never };
export const standInTopic = "#geral\0";

/** A simulated cluster with one channel, for the sessions of one connection. */
export class StandInCluster implements Disposable {
  /** Requests in the order in which they came. */
  readonly asked: StandInRequest[] = [];
  /** Subscriptions and cancels in order: `+topic`, `-topic`. */
  readonly wire: string[] = [];
  /** The publications of the channel. */
  readonly log: Publication[] = [];
  /**
   * The test's answer to a request; if it is undefined, the cluster answers from the channel's
   * history.
   */
  answer: (request: StandInRequest) => Record<string, unknown> | undefined = () => undefined;
  readonly #clock = new LamportClock();
  readonly #requests: RequestQueue;
  readonly #feeds: Feeds;
  readonly #opener = new SealOpener();
  #hear: (topic: string, payload: Buffer) => void = () => {};

  constructor() {
    this.#requests = new RequestQueue(
      { brokers: [], clock: this.#clock, onState: () => {} },
      { openPipe: (events) => this.#openPipe(events) },
    );
    this.#feeds = new Feeds(this.#clock, (onMessage) => {
      this.#hear = onMessage;
      return {
        subscribe: (topic) => this.wire.push(`+${topic}`),
        unsubscribe: (topic) => this.wire.push(`-${topic}`),
        close: () => {},
      };
    });
  }

  session(options: SessionOptions = {}): Session {
    const { state, refusal, open } = this.#requests;
    const connection = { clock: this.#clock, state, refusal, open };
    const lent = { requests: this.#requests, feeds: this.#feeds, opener: this.#opener };
    return new Session({ ...lent, connection, deadlineMs: 15_000 }, options);
  }

  /** Whether the topic is subscribed to now. */
  isWanted(topic: string): boolean {
    return this.wire.findLast((change) => change.endsWith(topic)) === `+${topic}`;
  }

  /**
   * Publishes to the channel. @param copies that arrive over the proxy; 0 if the publication gets
   * lost
   */
  say(message: string, copies = 1): void {
    const seq = this.log.length + 1;
    const place = { server, seq, prev: seq - 1, clock: seq, id: `${seq}` };
    const timestamp = "2026-01-01T00:00:00.000Z";
    const publication = { channel: "geral", user: "ana", message, timestamp, ...place };
    this.log.push(publication as unknown as Publication);
    for (let copy = 0; copy < copies; copy += 1) {
      this.deliver(standInTopic, Buffer.from(encode([publication])));
    }
  }

  /** Delivers a payload over the proxy, if the topic is subscribed to. */
  deliver(topic: string, payload: Buffer): void {
    if (this.isWanted(topic)) this.#hear(topic, payload);
  }

  [Symbol.dispose](): void {
    this.#feeds.close();
    this.#requests.close();
  }

  #openPipe(events: RequestPipeEvents) {
    events.onConnections(1);
    const send = async (payload: Uint8Array) => {
      const value = decode(payload) as StandInRequest | StandInRequest[];
      const requests = Array.isArray(value) ? value : [value];
      this.asked.push(...requests);
      setTimeout(() => {
        const replies = requests.map((request) => {
          const { service, data } = request;
          const said = { id: data.id, server: "server_0000000a", clock: 1, status: "OK" };
          return { service, data: { ...said, ...(this.answer(request) ?? this.#history(data)) } };
        });
        events.onPayload(Buffer.from(encode(replies)));
      }, answerMs);
    };
    return { send, close: () => {} };
  }

  #history({ since }: Readonly<Record<string, unknown>>) {
    const seen = { [server]: this.log.length };
    if (since === undefined) return { entries: [], seen };
    return { entries: this.log.slice((since as Vector)[server] ?? 0), seen };
  }
}
