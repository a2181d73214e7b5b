import { pause } from "../../platform/clock.ts";
import { random } from "../../platform/random.ts";
import type { GatewayFrame } from "../core/frames.ts";

/** A client's WebSocket or stream of events. */
export interface LiveConnection {
  send(frame: GatewayFrame): void;
  /** Tells the client that the gateway is being stopped, and closes the connection. */
  stop(): void;
}

/** A stopping gateway closes about this many connections in a second, so that not all return at once. */
const closesPerSecond = 500;
const mostDrainMs = 5_000;

/** The open connections of a gateway on which messages come as they are written. */
export class LiveConnections {
  readonly #open = new Set<LiveConnection>();

  get size(): number {
    return this.#open.size;
  }

  add(connection: LiveConnection): void {
    this.#open.add(connection);
  }

  delete(connection: LiveConnection): void {
    this.#open.delete(connection);
  }

  /** Sends a frame to all clients. */
  tell(frame: GatewayFrame): void {
    for (const connection of this.#open) connection.send(frame);
  }

  /** Closes all connections, in random order. */
  async drain(): Promise<void> {
    const open = [...this.#open];
    const drainMs = Math.min(mostDrainMs, (1_000 * open.length) / closesPerSecond);
    await Promise.all(
      open.map(async (connection) => {
        await pause(random() * drainMs);
        connection.stop();
      }),
    );
  }
}
