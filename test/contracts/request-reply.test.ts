import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { Dealer, Request } from "zeromq";
import { BrokeredResponder } from "../../src/net/brokered-responder.ts";
import { type Envelope, type OnRequest, unwrap } from "../../src/net/envelope.ts";
import { RequestPipe } from "../../src/net/request-pipe.ts";
import { Requester } from "../../src/net/requester.ts";
import { Responder } from "../../src/net/responder.ts";
import { Problem } from "../../src/platform/problem.ts";
import type { ProtocolError } from "../../src/protocol/errors.ts";
import { anyPort, Closing, localBroker } from "../support/local-wires.ts";
import { until } from "../support/until.ts";

const patienceMs = 10_000;

function buffers(...texts: string[]): Buffer[] {
  return texts.map((text) => Buffer.from(text));
}

/** A responder that answers each payload with its own name and the payload. */
function echo(closing: Closing, name = ""): Responder {
  const responder: Responder = closing.add(
    new Responder((to, payload) => responder.reply(to, Buffer.from(`${name}${payload}`))),
  );
  responder.start();
  return responder;
}

/** A worker that answers as `echo` does. */
function worker(closing: Closing, name = ""): BrokeredResponder {
  return workerTo(closing, (to, payload, answer) => answer(to, Buffer.from(`${name}${payload}`)));
}

type Answer = (to: Envelope, payload: Uint8Array) => void;

function workerTo(
  closing: Closing,
  onRequest: (to: Envelope, payload: Buffer, answer: Answer) => void,
): BrokeredResponder {
  const made: BrokeredResponder = closing.add(
    new BrokeredResponder((to, payload) => onRequest(to, payload, (...it) => made.reply(...it))),
  );
  made.start();
  return made;
}

function responderTo(closing: Closing, onRequest: OnRequest): Responder {
  const responder = closing.add(new Responder(onRequest));
  responder.start();
  return responder;
}

/** Asks until an answer comes, because a question before the connection exists gets none. */
async function askUntilAnswered(requester: Requester, text: string): Promise<string> {
  let answer: string | undefined;
  await until(async () => {
    answer = await requester.ask(Buffer.from(text), 200).then(String, () => undefined);
    return answer !== undefined;
  }, `an answer to ${text}`);
  return answer as string;
}

describe("a requester and a responder", () => {
  test("[W1] a responder answers a question", async () => {
    await using closing = new Closing();
    const endpoint = await echo(closing).bind(anyPort);
    expect(endpoint).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/);
    const requester = closing.add(new Requester([endpoint]));
    expect(await askUntilAnswered(requester, "hello")).toBe("hello");
  });

  test("each of many concurrent questions gets its own answer, in whatever order answers come", async () => {
    await using closing = new Closing();
    const waiting: { to: Envelope; payload: Buffer }[] = [];
    const responder = responderTo(closing, (to, payload) => {
      if (payload.toString() === "first") return responder.reply(to, payload);
      waiting.push({ to, payload });
      if (waiting.length < 100) return;
      for (const { to: way, payload: text } of waiting.reverse()) responder.reply(way, text);
    });
    const requester = closing.add(new Requester([await responder.bind(anyPort)]));
    await askUntilAnswered(requester, "first");
    const questions = Array.from({ length: 100 }, (_, number) => `question ${number}`);
    const answers = questions.map((text) => requester.ask(Buffer.from(text), patienceMs));
    expect((await Promise.all(answers)).map(String)).toEqual(questions);
  });

  test("[C2] a requester whose question gets no answer in time fails with `unavailable`, and can ask again", async () => {
    await using closing = new Closing();
    const seen: string[] = [];
    const responder = responderTo(closing, (to, payload) => {
      seen.push(payload.toString());
      if (payload.toString() !== "silence") responder.reply(to, payload);
    });
    const requester = closing.add(new Requester([await responder.bind(anyPort)]));
    await askUntilAnswered(requester, "hello");
    await expect(requester.ask(Buffer.from("silence"), 50)).rejects.toMatchObject({
      code: "unavailable",
      retry: true,
    });
    await until(() => seen.includes("silence"), "the question itself arrived");
    expect(String(await requester.ask(Buffer.from("again"), patienceMs))).toBe("again");
  });

  test("a requester does not use a late answer as the answer to another question", async () => {
    await using closing = new Closing();
    let late: Envelope | undefined;
    const responder = responderTo(closing, (to, payload) => {
      if (payload.toString() === "late") late = to;
      else responder.reply(to, payload);
    });
    const requester = closing.add(new Requester([await responder.bind(anyPort)]));
    await askUntilAnswered(requester, "hello");
    await expect(requester.ask(Buffer.from("late"), 50)).rejects.toThrow(/50 ms/);
    await until(() => late !== undefined, "the question arrived");
    const next = requester.ask(Buffer.from("next"), patienceMs);
    responder.reply(late as Envelope, Buffer.from("too late"));
    expect(String(await next)).toBe("next");
  });

  test("a question without a connection fails within 3 s, although its timeout is 60 s", async () => {
    await using closing = new Closing();
    // The port is held so that nobody else gets it; but no ZeroMQ socket answers there.
    const mute = createServer((socket) => socket.on("error", () => {})).listen(0, "127.0.0.1");
    closing.add({ close: () => void mute.close() });
    await once(mute, "listening");
    const { port } = mute.address() as AddressInfo;
    const requester = closing.add(new Requester([`tcp://127.0.0.1:${port}`]));
    let code: string | undefined;
    requester.ask(Buffer.from("anybody there?"), 60_000).catch((error: ProtocolError) => {
      code = error.code;
    });
    await until(() => code === "unavailable", "it is refused long before its 60 s", 3_000);
  });

  test("closing a requester makes its open questions fail", async () => {
    await using closing = new Closing();
    const responder = responderTo(closing, () => {});
    const requester = new Requester([await responder.bind(anyPort)]);
    const open = requester.ask(Buffer.from("hello"), patienceMs);
    requester.close();
    await expect(open).rejects.toMatchObject({ code: "unavailable" });
  });

  test("an endpoint that is in use or invalid causes an error that names the endpoint", async () => {
    await using closing = new Closing();
    const endpoint = await echo(closing).bind(anyPort);
    await expect(new Responder(() => {}).bind(endpoint)).rejects.toThrow(Problem);
    await expect(new Responder(() => {}).bind(endpoint)).rejects.toThrow(`${endpoint} is taken`);
    const other = worker(closing);
    expect(() => other.connect("nonsense")).toThrow(/"nonsense" is not an endpoint/);
  });

  test("[W1] a plain REQ socket gets answers, request after request", async () => {
    await using closing = new Closing();
    const endpoint = await echo(closing).bind(anyPort);
    const plain = closing.add(new Request({ linger: 0, receiveTimeout: patienceMs }));
    plain.connect(endpoint);
    for (const text of ["one", "two", "three"]) {
      await plain.send(text);
      expect(String(await plain.receive())).toBe(text);
    }
  });

  test.each([
    ["with the delimiter", ["", "hello"], ["", "hello"]],
    ["without the delimiter", ["hello"], ["hello"]],
    ["with a number in front", ["7", "", "hello"], ["7", "", "hello"]],
  ])(
    "[W1] a DEALER gets the answer in the same envelope as its request (%s)",
    async (_, sent, expected) => {
      await using closing = new Closing();
      const endpoint = await echo(closing).bind(anyPort);
      const dealer = closing.add(new Dealer({ linger: 0, receiveTimeout: patienceMs }));
      dealer.connect(endpoint);
      await dealer.send(sent);
      expect((await dealer.receive()).map(String)).toEqual(expected);
    },
  );
});

describe("unwrap", () => {
  const way = buffers("client");

  test.each([
    ["with the delimiter", ["client", "", "payload"], [["client", ""], "payload"]],
    ["without the delimiter", ["client", "payload"], [["client"], "payload"]],
    ["through two brokers", ["a", "b", "", "payload"], [["a", "b", ""], "payload"]],
    ["with too many frames", ["client", "", "pay", "load"], [["client", ""], "payload"]],
    ["with an empty payload", ["client", "", ""], [["client", ""], ""]],
    ["with the delimiter alone", ["client", ""], [["client"], ""]],
  ])(
    "[W1] [W7] `unwrap` splits a message into envelope and payload (message %s)",
    (_, frames, parts) => {
      const { envelope, payload } = unwrap(buffers(...frames));
      expect([envelope.map(String), payload.toString()]).toEqual(parts);
    },
  );

  test("`unwrap` does not copy a payload of one frame", () => {
    const payload = Buffer.from("payload");
    expect(unwrap([...way, Buffer.alloc(0), payload]).payload).toBe(payload);
  });
});

describe("through a broker", () => {
  test("[W1] a broker gives requests to the workers in turn", async () => {
    await using broker = await localBroker();
    await using closing = new Closing();
    for (const name of ["a", "b", "c"]) worker(closing, name).connect(broker.back);
    await until(() => broker.connections.back === 3, "three workers are connected");
    const requester = closing.add(new Requester([broker.front]));
    await askUntilAnswered(requester, "");
    const workers: string[] = [];
    for (let number = 0; number < 9; number += 1) {
      workers.push(String(await requester.ask(Buffer.alloc(0), patienceMs)));
    }
    for (let number = 0; number < 9; number += 3) {
      expect(workers.slice(number, number + 3).sort()).toEqual(["a", "b", "c"]);
    }
  });

  test("[R11] a worker that disconnects leaves the broker's rotation, and returns when it connects", async () => {
    await using broker = await localBroker();
    await using closing = new Closing();
    const workers = ["a", "b"].map((name) => worker(closing, name));
    for (const each of workers) each.connect(broker.back);
    await until(() => broker.connections.back === 2, "both are connected");
    const requester = closing.add(new Requester([broker.front]));
    await askUntilAnswered(requester, "");
    workers[0]?.disconnect(broker.back);
    await until(() => broker.connections.back === 1, "one has left");
    const answers = Array.from({ length: 10 }, () => requester.ask(Buffer.alloc(0), patienceMs));
    expect(new Set((await Promise.all(answers)).map(String))).toEqual(new Set(["b"]));
    // Connecting twice has the effect of connecting once.
    workers[0]?.connect(broker.back);
    workers[0]?.connect(broker.back);
    await until(() => broker.connections.back === 2, "it is back");
    const later = Array.from({ length: 10 }, () => requester.ask(Buffer.alloc(0), patienceMs));
    expect(new Set((await Promise.all(later)).map(String))).toEqual(new Set(["a", "b"]));
  });

  test("[R11] a worker that disconnects in the middle of reading a request still answers requests after it reconnects", async () => {
    await using broker = await localBroker();
    await using closing = new Closing();
    const taken: string[] = [];
    const late: BrokeredResponder = new BrokeredResponder((to, payload) => {
      taken.push(String(payload));
      late.reply(to, payload);
    });
    closing.add(late).connect(broker.back);
    await until(() => broker.connections.back === 1, "the worker is connected");
    const requester = closing.add(new Requester([broker.front]));
    for (let count = 0; count < 3; count += 1) {
      await requester.ask(Buffer.from("unread"), 200).catch(() => {});
    }
    // A socket that sends also looks for messages to read, and may begin to read one.
    late.reply(buffers("nobody", "", ""), Buffer.from("for nobody"));
    await late.disconnect(broker.back);
    await until(() => broker.connections.back === 0, "the worker has left");
    late.connect(broker.back);
    await until(() => broker.connections.back === 1, "the worker is back");
    late.start();
    expect(await askUntilAnswered(requester, "hello")).toBe("hello");
    expect(taken).toContain("hello");
  });

  test("[R11] a reply sent just before the worker leaves the rotation still reaches its client", async () => {
    await using broker = await localBroker();
    await using closing = new Closing();
    const open: Envelope[] = [];
    const busy = workerTo(closing, (to, payload, answer) => {
      if (payload.toString() === "open") open.push(to);
      else answer(to, payload);
    });
    busy.connect(broker.back);
    await until(() => broker.connections.back === 1, "the worker is connected");
    const requester = closing.add(new Requester([broker.front]));
    await askUntilAnswered(requester, "hello");
    let answered = 0;
    for (let number = 0; number < 50; number += 1) {
      requester.ask(Buffer.from("open"), patienceMs).then(
        () => {
          answered += 1;
        },
        () => {},
      );
    }
    await until(() => open.length === 50, "the worker has the requests");
    for (const to of open) busy.reply(to, Buffer.from("finished"));
    busy.disconnect(broker.back);
    await until(() => broker.connections.back === 0, "it has left the rotation");
    await until(() => answered === 50, "all answers arrive", 3_000);
  });

  test("[W7] a request of many frames, or of the delimiter alone, is answered", async () => {
    await using broker = await localBroker();
    await using closing = new Closing();
    worker(closing, "got:").connect(broker.back);
    await until(() => broker.connections.back === 1, "the worker is connected");
    const plain = closing.add(new Request({ linger: 0, receiveTimeout: patienceMs }));
    plain.connect(broker.front);
    await plain.send(["pay", "load"]);
    expect(String(await plain.receive())).toBe("got:payload");
    await plain.send("");
    expect(String(await plain.receive())).toBe("got:");
  });

  test("[C1] all payloads sent through a pipe are answered", async () => {
    await using broker = await localBroker();
    await using closing = new Closing();
    worker(closing).connect(broker.back);
    await until(() => broker.connections.back === 1, "the worker is connected");
    const got: string[] = [];
    let brokers = 0;
    const pipe = closing.add(
      new RequestPipe([broker.front], {
        onPayload: (payload) => got.push(payload.toString()),
        onConnections: (count) => {
          brokers = count;
        },
        onRefusal: () => {},
      }),
    );
    const sent = Array.from({ length: 50 }, (_, number) => `${number}`);
    for (const text of sent) await pipe.send(Buffer.from(text));
    await until(() => got.length === sent.length, "all come back");
    expect(got).toEqual(sent);
    expect(brokers).toBe(1);
  });
});
