import { Writable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { Flusher } from "../../src/gateway/live/flusher.ts";
import { until } from "../support/until.ts";

/** A socket that keeps each write apart; a write can take some milliseconds of the process. */
class Socket extends Writable {
  readonly writes: string[] = [];
  readonly #onWrite: (socket: Socket) => void;

  constructor(onWrite: (socket: Socket) => void = () => {}) {
    super();
    this.#onWrite = onWrite;
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.writes.push(bytes.toString());
    this.#onWrite(this);
    done();
  }
}

const text = (value: string) => Buffer.from(value);
const as = (socket: Socket) => socket as unknown as Parameters<Flusher["write"]>[0];

/** Keeps the process busy, as the system call of a socket does. */
function work(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

test("[G20] what is written to a socket in one turn of the event loop leaves in order and in one write", async () => {
  const [flusher, one, other] = [new Flusher(), new Socket(), new Socket()];
  for (const bytes of ["a", "b", "c"].map(text)) {
    flusher.write(as(one), bytes);
    flusher.write(as(other), bytes);
  }
  flusher.write(as(other), text("d"));
  await setImmediate();
  expect([one.writes, other.writes]).toEqual([["abc"], ["abcd"]]);
});

test("[G20] while many sockets get messages, the process also does other work, and each socket waits for at most one turn of all others", async () => {
  const order: Socket[] = [];
  const flusher = new Flusher();
  const sockets = Array.from({ length: 40 }, () => {
    return new Socket((socket) => {
      order.push(socket);
      work(1);
    });
  });
  for (const socket of sockets) flusher.write(as(socket), text("first"));
  await setImmediate();
  const sentAtOnce = order.length;
  expect(sentAtOnce).toBeGreaterThan(0);
  expect(sentAtOnce).toBeLessThan(sockets.length);
  const [first = new Socket()] = sockets;
  flusher.write(as(first), text("second"));
  await until(() => first.writes.length === 2, "the first socket is sent to again");
  expect(order).toEqual([...sockets, first]);
});

test("[G22] a socket that must be closed gets at once what waits for it, and nothing afterwards", async () => {
  const [flusher, socket] = [new Flusher(), new Socket()];
  flusher.write(as(socket), text("last words"));
  flusher.flush(as(socket));
  expect(socket.writes).toEqual(["last words"]);
  flusher.write(as(socket), text("too late"));
  socket.destroy();
  await setImmediate();
  expect(socket.writes).toEqual(["last words"]);
});
