import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { beatMs, EventStream } from "../../src/gateway/live/events.ts";
import { pause } from "../../src/platform/clock.ts";
import { ProtocolError } from "../../src/protocol/errors.ts";
import { until } from "../support/until.ts";

afterEach(() => {
  vi.useRealTimers();
});

/** Writes until the system takes no more bytes for a client that does not read. */
async function fillUp(response: ServerResponse): Promise<void> {
  for (let waitedMs = 0; waitedMs < 200; waitedMs += 10) {
    if (response.writableLength === 0) {
      response.write(Buffer.alloc(262_144));
      waitedMs = 0;
    }
    await pause(10);
  }
}

test("[G23] a stream whose session has ended is closed even if its client does not read, and nothing fails", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = connect(port, "127.0.0.1").on("error", () => {});
  client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  try {
    const [, response] = (await once(server, "request")) as [unknown, ServerResponse];
    const errors: Error[] = [];
    response.on("error", (error) => errors.push(error));
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const ended = new ProtocolError("unauthenticated", "The session has ended.");
    const stream = new EventStream(response, { places: () => new Map(), check: async () => ended });
    stream.begin();
    await fillUp(response);
    await vi.advanceTimersByTimeAsync(3 * beatMs);
    expect(errors).toEqual([]);
    await until(() => response.destroyed, "the connection is closed");
  } finally {
    client.destroy();
    server.close();
  }
});

test("[G23] a stream says that its gateway is unready, and sends nothing before its reply has begun", async () => {
  const server = createServer((_request, response) => {
    const check = async () => undefined;
    const stream = new EventStream(response, { places: () => new Map(), check });
    stream.send({ type: "unready", reason: "too early" });
    stream.begin();
    stream.send({ type: "unready", reason: "no quorum" });
    stream.send({ type: "ready" });
    stream.stop();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    const reply = await fetch(`http://127.0.0.1:${port}/`);
    expect(reply.headers.get("content-type")).toMatch("text/event-stream");
    const events = [...(await reply.text()).matchAll(/^event: (.*)\nid: .*\ndata: (.*)$/gm)];
    expect(events.map(([, type, data]) => [type, data])).toEqual([
      ["unready", '{"reason":"no quorum"}'],
      ["ready", "{}"],
    ]);
  } finally {
    server.close();
  }
});
