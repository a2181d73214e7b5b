import { Dealer, Router } from "zeromq";
import { BrokeredResponder } from "../../src/net/brokered-responder.ts";
import type { Envelope } from "../../src/net/envelope.ts";
import { decode } from "../../src/protocol/codec.ts";
import type { Closing } from "./local-wires.ts";

const empty = Buffer.alloc(0);

/** A client that may have many open requests, and records every reply. */
export class Client {
  readonly got: string[] = [];
  readonly #socket = new Dealer({ linger: 0, reconnectInterval: 20 });

  constructor(closing: Closing, endpoint: string) {
    closing.add(this);
    this.#socket.connect(endpoint);
    void this.#receive();
  }

  ask(payload: string | Uint8Array): Promise<void> {
    return this.#socket.send([empty, payload]);
  }

  close(): void {
    this.#socket.close();
  }

  async #receive(): Promise<void> {
    try {
      for await (const [, payload = empty] of this.#socket) this.got.push(told(payload));
    } catch {
      // The socket was closed.
    }
  }
}

/** A reply as text; for an error reply, its code and its id. */
function told(payload: Buffer): string {
  try {
    const { data } = decode(payload) as { data: { code: string; id: string } };
    return `${data.code} ${data.id}`;
  } catch {
    return String(payload);
  }
}

export interface Asked {
  readonly to: Envelope;
  readonly payload: Buffer;
}

export interface Worker {
  /** All requests that the worker has received, in order. */
  readonly asked: Asked[];
  reply(to: Envelope, payload: string | Buffer): void;
}

/** A worker on the product's own `BrokeredResponder`. */
export function ourWorker(closing: Closing, ...backs: string[]): Worker {
  const asked: Asked[] = [];
  const responder = closing.add(
    new BrokeredResponder((to, payload) => asked.push({ to, payload })),
  );
  responder.start();
  responder.connect(...backs);
  return { asked, reply: (to, payload) => responder.reply(to, Buffer.from(payload)) };
}

/** A worker as another author may write one: a bare ROUTER of libzmq. */
export function bareWorker(closing: Closing, ...backs: string[]): Worker {
  const asked: Asked[] = [];
  const socket = closing.add(new Router({ linger: 0, reconnectInterval: 20 }));
  for (const back of backs) socket.connect(back);
  const receiving = async () => {
    try {
      for await (const frames of socket) {
        asked.push({ to: frames.slice(0, -1), payload: frames.at(-1) as Buffer });
      }
    } catch {
      // The socket was closed.
    }
  };
  void receiving();
  let sending = Promise.resolve();
  const reply = (to: Envelope, payload: string | Buffer) => {
    sending = sending.then(() => socket.send([...to, payload]));
  };
  return { asked, reply };
}
