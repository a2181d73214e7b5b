import { digest } from "../../src/platform/digest.ts";
import { type EventLine, writeLine } from "../../src/protocol/event.ts";
import { type Chain, emptyChain, type ServerName } from "../../src/protocol/ids.ts";

/** The server's name by its number: `server_00000001`, `server_00000002` … */
export function serverName(number: number): ServerName {
  return `server_${number.toString(16).padStart(8, "0")}` as ServerName;
}

/** Makes events of several servers, each with a whole chain, as those servers would. */
export class EventMaker {
  readonly #heads = new Map<ServerName, { seq: number; chain: Chain }>();
  #clock = 0;

  next(server: ServerName, message = "hi"): EventLine {
    const head = this.#heads.get(server) ?? { seq: 0, chain: emptyChain };
    this.#clock += 1;
    const event = {
      server,
      seq: head.seq + 1,
      clock: this.#clock,
      timestamp: 1_700_000_000_000 + this.#clock,
      operation: "publication",
      data: { user: "ana", channel: "geral", message },
    };
    const line = writeLine(event, head.chain, digest);
    this.#heads.set(server, { seq: event.seq, chain: line.chain });
    return line;
  }

  many(server: ServerName, count: number, message?: string): EventLine[] {
    return Array.from({ length: count }, () => this.next(server, message));
  }
}
