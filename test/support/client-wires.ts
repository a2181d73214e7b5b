import { afterEach } from "vitest";
import { Connection, type ConnectionOptions } from "../../src/client/connection.ts";
import type { Session, SessionOptions } from "../../src/client/session.ts";
import { BrokeredResponder } from "../../src/net/brokered-responder.ts";
import { decode, encode } from "../../src/protocol/codec.ts";
import { Closing, type LocalForwarder, localBroker, localProxy } from "./local-wires.ts";

export interface Asked {
  service: string;
  data: Record<string, unknown> & { id: string };
}

const answeringServer = "server_0000000a";

/**
 * A broker with one worker, whose answers the test decides, and a proxy if the test asks for one.
 */
export class ClientWires implements AsyncDisposable {
  readonly asked: Asked[] = [];
  readonly payloads: unknown[] = [];
  /** The answer to a request; undefined if no reply is sent. */
  answer: (asked: Asked) => Record<string, unknown> | undefined = () => ({ status: "OK" });
  readonly #closing = new Closing();
  endpoint = "";

  async open(): Promise<void> {
    const broker = this.use(await localBroker());
    const worker = new BrokeredResponder((to, payload) => {
      const value = decode(payload) as Asked | Asked[];
      this.payloads.push(value);
      const requests = Array.isArray(value) ? value : [value];
      this.asked.push(...requests);
      const replies = requests.flatMap(({ service, data }, index) => {
        const fields = this.answer({ service, data });
        // `users`, which most tests ask for, is no valid answer without a list.
        const said = { id: data.id, server: answeringServer, clock: index + 1, users: [] };
        return fields === undefined ? [] : [{ service, data: { ...said, ...fields } }];
      });
      if (replies.length > 0) worker.reply(to, encode(Array.isArray(value) ? replies : replies[0]));
    });
    this.use(worker).start();
    worker.connect(broker.back);
    this.endpoint = broker.front;
  }

  async proxy(): Promise<LocalForwarder> {
    return this.use(await localProxy());
  }

  connection(options: Partial<ConnectionOptions> = {}): Connection {
    return this.use(new Connection({ brokers: [this.endpoint], proxies: [], ...options }));
  }

  /** A session on a connection of its own. */
  session(options: Partial<ConnectionOptions> & SessionOptions = {}): Session {
    return this.connection(options).session(options);
  }

  /** Closes `thing` at the end, before everything that was added earlier. */
  use<Thing extends { close(): void | Promise<void> }>(thing: Thing): Thing {
    return this.#closing.add(thing);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#closing[Symbol.asyncDispose]();
  }
}

/** @returns a function that opens wires, which are closed after each test of the file */
export function clientWires(): () => Promise<ClientWires> {
  const open: ClientWires[] = [];
  afterEach(async () => {
    for (const wires of open.splice(0)) await wires[Symbol.asyncDispose]();
  });
  return async () => {
    const made = new ClientWires();
    open.push(made);
    await made.open();
    return made;
  };
}
