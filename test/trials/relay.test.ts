import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { type Link, Relay } from "../../src/trials/relay.ts";
import { until } from "../support/until.ts";

const closing: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** One end of a TCP connection, and the text that this end has received. */
class End {
  received = "";
  ended = false;
  failed = false;
  readonly socket: Socket;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (bytes) => {
      this.received += String(bytes);
    });
    socket.on("end", () => {
      this.ended = true;
    });
    socket.on("error", () => {
      this.failed = true;
    });
    closing.push(() => socket.destroy());
  }

  got(text: string): Promise<void> {
    return until(() => this.received === text, `"${text}" has come`);
  }
}

async function listen(): Promise<{ target: string; server: Server; accepted: End[] }> {
  const accepted: End[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => accepted.push(new End(socket)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => server.close());
  return { target: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`, server, accepted };
}

function dial(endpoint: string): End {
  const socket = connect({
    port: Number(new URL(endpoint.replace("tcp:", "http:")).port),
    host: "127.0.0.1",
    allowHalfOpen: true,
  });
  return new End(socket);
}

const there: Link = { from: "ana", to: "bia" };
const back: Link = { from: "bia", to: "ana" };

/** A relay with a route from ana to bia, and a connection over the relay that has carried bytes. */
async function pair() {
  const { target, accepted, server } = await listen();
  const relay = await Relay.open(1);
  closing.push(() => relay[Symbol.asyncDispose]());
  const endpoint = relay.add({ from: "ana", to: "bia", target });
  const ana = dial(endpoint);
  ana.socket.write("1");
  await until(() => accepted.length === 1, "the relay has connected");
  const bia = accepted[0] as End;
  bia.socket.write("1");
  await Promise.all([bia.got("1"), ana.got("1")]);
  return { relay, endpoint, ana, bia, accepted, server };
}

describe("the relay", () => {
  test("the relay passes bytes and the end of a stream in both directions", async () => {
    const { ana, bia } = await pair();
    ana.socket.end("2");
    await bia.got("12");
    await until(() => bia.ended, "the end has come");
    bia.socket.end("3");
    await ana.got("13");
    await until(() => ana.ended, "the other end has come");
    expect(ana.failed || bia.failed).toBe(false);
  });

  test("a cut at the relay holds back the bytes of one direction, and healing passes them on in order", async () => {
    const { relay, ana, bia } = await pair();
    const cut = relay.cut([there]);
    ana.socket.write("2");
    bia.socket.write("2");
    await ana.got("12");
    ana.socket.write("3");
    bia.socket.write("3");
    await ana.got("123");
    expect(bia.received).toBe("1");
    cut.heal();
    await bia.got("123");
  });

  test("two cuts of one link at the relay last until both cuts are healed", async () => {
    const { relay, ana, bia } = await pair();
    const [first, second] = [relay.cut([there]), relay.cut([there, back])];
    ana.socket.write("2");
    first.heal();
    first.heal();
    bia.socket.write("2");
    expect([ana.received, bia.received]).toEqual(["1", "1"]);
    second.heal();
    await Promise.all([ana.got("12"), bia.got("12")]);
  });

  test("if a cut at the relay is healed by a reset, the held bytes and the connection are lost", async () => {
    const { relay, ana, bia, endpoint, accepted } = await pair();
    const cut = relay.cut([there]);
    ana.socket.write("2");
    cut.heal({ reset: true });
    await until(() => ana.failed && bia.failed, "both ends were reset");
    expect(bia.received).toBe("1");
    dial(endpoint).socket.write("new");
    await until(() => accepted.length === 2, "a new connection is made");
    await (accepted[1] as End).got("new");
  });

  test("the relay passes on the end of a cut connection only after the cut is healed", async () => {
    const { relay, ana, bia } = await pair();
    const cut = relay.cut([there, back]);
    ana.socket.write("2");
    ana.socket.destroy();
    await once(ana.socket, "close");
    bia.socket.write("2");
    expect([bia.ended, bia.failed, bia.received]).toEqual([false, false, "1"]);
    cut.heal();
    await bia.got("12");
    await until(() => bia.ended || bia.failed, "the end has come");
  });

  test("a new connection through the relay waits while one direction of its link is cut", async () => {
    const { relay, endpoint, accepted } = await pair();
    const cut = relay.cut([back]);
    const late = dial(endpoint);
    late.socket.write("late");
    await once(late.socket, "connect");
    expect(accepted).toHaveLength(1);
    cut.heal();
    await until(() => accepted.length === 2, "it is connected");
    await (accepted[1] as End).got("late");
  });

  test("a slow link at the relay delays its bytes, and the bytes stay in order after the link is healed", async () => {
    const { relay, ana, bia } = await pair();
    const slow = relay.slow([there], 150);
    const beganMs = performance.now();
    ana.socket.write("2");
    await bia.got("12");
    expect(performance.now() - beganMs).toBeGreaterThan(140);
    ana.socket.write("3");
    bia.socket.write("2");
    // The relay has read both writes by now, and still delays "3".
    await ana.got("12");
    slow.heal();
    ana.socket.write("4");
    await bia.got("1234");
  });

  test("the relay ends a connection to a process that does not listen", async () => {
    const { server, endpoint, ana, bia } = await pair();
    ana.socket.destroy();
    bia.socket.destroy();
    server.close();
    await once(server, "close");
    const late = dial(endpoint);
    await until(() => late.failed || late.ended, "it is told");
  });

  test("the relay can identify a connection's process by its first bytes", async () => {
    const { target, accepted } = await listen();
    await using relay = await Relay.open(1);
    const from = (bytes: Buffer) => (String(bytes).includes("I am ana") ? "ana" : undefined);
    const endpoint = relay.add({ from, to: "bia", target });
    relay.cut([there]);
    const ana = dial(endpoint);
    ana.socket.write("hello");
    await until(() => accepted.length === 1, "a connection passes until its process is known");
    const bia = accepted[0] as End;
    await bia.got("hello");
    ana.socket.write(", I am ana");
    bia.socket.write("welcome");
    await ana.got("welcome");
    expect(bia.received).toBe("hello");
  });

  test("a cut at the relay blocks a sender once the relay's buffers are full", async () => {
    const { relay, ana, bia } = await pair();
    const cut = relay.cut([there]);
    const text = "x".repeat(16 * 1024 * 1024);
    let isWritten = false;
    ana.socket.write(text, () => {
      isWritten = true;
    });
    ana.socket.write("!");
    bia.socket.write("2");
    await ana.got("12");
    expect(isWritten).toBe(false);
    cut.heal();
    await until(() => bia.received.length === text.length + 2, "all of it has come");
    expect(bia.received.endsWith("!")).toBe(true);
  });
});
