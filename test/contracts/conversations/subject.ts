import type { Fields } from "../../../src/protocol/fields.ts";

/** A payload with one request, as a client writes it (W1). */
export interface Payload {
  readonly service: string;
  readonly data: Fields;
}

/**
 * Three servers with accounts that keep conversations, whatever they keep them in. They are asked
 * only as clients ask: by requests of the wire.
 */
export interface Subject extends AsyncDisposable {
  /** A new token of the operator (A5). */
  readonly operator: string;
  /**
   * Sends a request to the server of this number, from 1, over a connection of its own.
   * @returns the fields of the reply; undefined if it was lost
   */
  ask(server: number, payload: Payload): Promise<Fields | undefined>;
  /** Kills all servers at once, starts them again, and waits until they serve. */
  restart(): Promise<void>;
}

export const servers = [1, 2, 3] as const;

/** How many messages of a channel a subject keeps at least. */
export const keptMessages = 50;
