import { createConnection, createServer, type Socket } from "node:net";
import { freePort } from "../../src/trials/free-ports.ts";

/** Each way takes so long, in milliseconds: an answer is later than anything waits for it. */
const wayMs = 60;

/** A way to a Redis on which every answer is late. */
export class SlowRedis implements AsyncDisposable {
  readonly url: string;
  /** Steady times at which connections were made. */
  readonly connectedMs: number[] = [];
  readonly #server = createServer((near) => this.#connect(near));
  readonly #sockets = new Set<Socket>();
  readonly #port: number;

  private constructor(port: number, ownPort: number) {
    this.#port = port;
    this.url = `redis://127.0.0.1:${ownPort}/0`;
    this.#server.listen(ownPort, "127.0.0.1");
  }

  static async open(port: number): Promise<SlowRedis> {
    return new SlowRedis(port, await freePort());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #connect(near: Socket): void {
    this.connectedMs.push(performance.now());
    const far = createConnection(this.#port, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.on("error", () => {});
      from.on("data", (data) => setTimeout(() => to.writable && to.write(data), wayMs));
      from.on("close", () => to.destroy());
    }
  }
}
