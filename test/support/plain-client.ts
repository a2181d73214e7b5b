import { Request } from "zeromq";
import { connect } from "../../src/net/connect.ts";
import { decode, encode } from "../../src/protocol/codec.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** One request on a REQ socket, as the simplest client in any language sends it. */
export class PlainRequest implements Disposable {
  /** The reply; undefined if no reply came in time, or the socket was closed before. */
  readonly reply: Promise<Fields | undefined>;
  readonly #socket: Request;

  constructor(endpoint: string, [service, data]: [string, Fields], patienceMs: number) {
    this.#socket = new Request({ linger: 0, receiveTimeout: patienceMs });
    connect(this.#socket, [endpoint]);
    this.reply = this.#ask(encode({ service, data }));
  }

  async #ask(payload: Uint8Array): Promise<Fields | undefined> {
    try {
      await this.#socket.send(payload);
      const [reply = Buffer.alloc(0)] = await this.#socket.receive();
      return (decode(reply) as { data: Fields }).data;
    } catch {
      return undefined;
    } finally {
      this[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    if (!this.#socket.closed) this.#socket.close();
  }
}

/**
 * Asks as README's example does: after each time-out it asks again on a new socket, with the same
 * `id`.
 */
export async function askPlainly(
  endpoint: string,
  [service, data]: [string, Fields],
  { patienceMs, onTry }: { patienceMs: number; onTry?: () => void },
): Promise<Fields> {
  for (;;) {
    onTry?.();
    const reply = await new PlainRequest(endpoint, [service, data], patienceMs).reply;
    if (reply !== undefined && reply.retry !== true) return reply;
  }
}
