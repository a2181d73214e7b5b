import { get, type IncomingMessage } from "node:http";
import { describe, expect, test } from "vitest";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { until } from "../support/until.ts";
import { geral, LiveScene, liveScene, passwordOf } from "./live-scene.ts";

interface Event {
  readonly type: string;
  readonly id: string;
  // biome-ignore lint/suspicious/noExplicitAny: the data is what the gateway wrote.
  readonly data: any;
}

/** A stream of events, read as a browser reads it. */
class Stream implements Disposable {
  readonly events: Event[] = [];
  status: number | undefined;
  isOver = false;
  readonly #request;
  #rest = "";

  constructor(gateway: string, headers: Record<string, string>, query = "conversations=%23geral") {
    this.#request = get(`${gateway}/api/v1/events?${query}`, { headers }, (response) =>
      this.#read(response),
    );
    this.#request.on("error", () => {});
  }

  get texts(): string[] {
    return this.of("message").map(({ data }) => data.entry.message);
  }

  get lastId(): string {
    return this.events.at(-1)?.id ?? "";
  }

  of(type: string): Event[] {
    return this.events.filter((event) => event.type === type);
  }

  async caughtUp(count = 1): Promise<void> {
    await until(() => this.of("caught_up").length >= count, "caught up");
  }

  [Symbol.dispose](): void {
    this.#request.destroy();
  }

  #read(response: IncomingMessage): void {
    this.status = response.statusCode;
    response.setEncoding("utf8").on("data", (text: string) => {
      const parts = (this.#rest + text).split("\n\n");
      this.#rest = parts.pop() ?? "";
      for (const part of parts) this.#take(part);
    });
    response.on("error", () => {});
    response.on("close", () => {
      this.isOver = true;
    });
  }

  #take(part: string): void {
    const fields = new Map(
      part.split("\n").map((line) => {
        const at = line.indexOf(":");
        return [line.slice(0, at), line.slice(at + 1).trim()];
      }),
    );
    const type = fields.get("event");
    if (type === undefined) return;
    const data = JSON.parse(fields.get("data") ?? "null");
    this.events.push({ type, id: fields.get("id") ?? "", data });
  }
}

const scene = liveScene({ auth: "required" });

async function bearer(user: string) {
  return { authorization: `Bearer ${await scene.token(user)}` };
}

describe("a stream of server-sent events", { timeout: 30_000 }, () => {
  test("[G23] a stream continues at another gateway after the event that the client names, without loss or double", async () => {
    const headers = await bearer("ana");
    const session = await scene.enter("ana");
    const said: string[] = [];
    const say = async (count: number) => {
      for (let number = 0; number < count; number += 1) {
        said.push(`message ${said.length}`);
        await session.publish(geral, said.at(-1) ?? "");
      }
    };
    const heard: string[] = [];
    using first = new Stream(scene.first, headers);
    await first.caughtUp();
    let id = first.lastId;
    await say(5);
    await until(() => first.texts.length === 5, "five are heard");
    // The client has read only the first three.
    const third = first.of("message")[2] as Event;
    heard.push(...first.texts.slice(0, 3));
    id = third.id;
    first[Symbol.dispose]();
    await say(5);
    for (const gateway of [scene.second, scene.first]) {
      using next = new Stream(gateway, { ...headers, "last-event-id": id });
      await next.caughtUp();
      expect(next.of("subscribed")).toMatchObject([{ data: { recovered: true } }]);
      await say(3);
      await until(() => heard.length + next.texts.length === said.length, "all are heard");
      heard.push(...next.texts);
      id = next.lastId;
    }
    expect(heard).toEqual(said);
  });

  test("[G23] a stream of several conversations resumes each at its own place, and the last messages come once", async () => {
    const headers = await bearer("bea");
    const [ana, bea] = [await scene.enter("ana"), await scene.enter("bea")];
    await ana.publish(geral, "one");
    await ana.message("bea" as never, "a private one");
    await bea.publish(geral, "two");
    const query = "conversations=%23geral,%40bea&last=2";
    using stream = new Stream(scene.first, headers, query);
    await stream.caughtUp(2);
    expect(stream.texts).toEqual(["one", "two", "a private one"]);
    for (const [index, rest] of [["two", "a private one"], ["a private one"], []].entries()) {
      const { id } = stream.of("message")[index] as Event;
      using resumed = new Stream(scene.second, { ...headers, "last-event-id": id }, query);
      await resumed.caughtUp(2);
      expect(resumed.texts).toEqual(rest);
    }
  });

  test("[G23] a stream is refused with a status if its token, its place or a conversation is invalid", async () => {
    const headers = await bearer("ana");
    const refused = [
      new Stream(scene.first, { authorization: "Bearer no.token" }),
      new Stream(scene.first, { ...headers, "last-event-id": "nowhere" }),
      new Stream(scene.first, headers, "conversations=geral"),
    ];
    await until(() => refused.every(({ status }) => status !== undefined), "all are answered");
    expect(refused.map(({ status }) => status)).toEqual([401, 400, 400]);
    using one = new Stream(scene.first, headers, "conversations=%23nowhere,%23geral");
    await one.caughtUp();
    expect(one.of("error")).toMatchObject([{ data: { code: "channel_not_found" } }]);
  });

  test("[G22] [G23] a gateway that is stopped ends its streams and then itself", async () => {
    const gateway = await scene.gateway(25_000);
    using stream = new Stream(gateway.address, await bearer("ana"));
    await stream.caughtUp();
    expect(gateway.live.size).toBe(1);
    await gateway[Symbol.asyncDispose]();
    await until(() => stream.isOver, "the stream has ended");
  });

  test("[G23] the end of a session ends its streams", async () => {
    const headers = await bearer("eva");
    using stream = new Stream(scene.first, headers);
    await stream.caughtUp();
    const eva = await scene.enter("eva");
    await eva.changePassword("eva" as never, passwordOf("eva"), "another long password");
    await until(() => stream.isOver, "the stream has ended", 20_000);
    expect(stream.of("error")).toMatchObject([{ data: { code: "unauthenticated" } }]);
  });
});

test("[G20] a client that was away for longer than messages are kept learns that some are missing, and a client that was not learns that none are", async (context) => {
  context.skip(LocalCluster.hasEngine, "an engine keeps all messages");
  const settings = () => ({ TERTULIA_KEEP_PUBLICATIONS: "10" });
  const small = new LiveScene({ settings });
  try {
    await small.begin();
    const { founder } = small;
    const say = async (from: number, to: number) => {
      for (let number = from; number <= to; number += 1) {
        await founder.publish(geral, `message ${number}`);
      }
    };
    using before = await small.open(small.first, "ana");
    await before.ask({ type: "subscribe", conversation: "#geral" });
    await say(1, 5);
    await until(() => before.texts.length === 5, "she has heard them");
    const { position } = before.of("message")[4] as { position: string };
    before[Symbol.dispose]();
    await say(6, 9);
    const resume = { type: "subscribe", conversation: "#geral", position };
    using soon = await small.open(small.second, "ana");
    await soon.ask(resume);
    expect(soon.of("subscribed")).toMatchObject([{ recovered: true }]);
    expect(soon.texts).toEqual([6, 7, 8, 9].map((number) => `message ${number}`));
    await say(10, 40);
    using late = await small.open(small.second, "ana");
    await late.ask(resume);
    expect(late.of("subscribed")).toMatchObject([{ recovered: false }]);
    const kept = Array.from({ length: 10 }, (_, number) => `message ${31 + number}`);
    expect(late.texts).toEqual(kept);
    expect(late.of("gap")).toEqual([]);
    // The stream of events tells the same.
    const places = Buffer.from(
      JSON.stringify({ "#geral": JSON.parse(Buffer.from(position, "base64url").toString()) }),
    );
    const authorization = `Bearer ${await small.token("ana")}`;
    const id = places.toString("base64url");
    using stream = new Stream(small.first, { authorization, "last-event-id": id });
    await stream.caughtUp();
    expect(stream.of("subscribed")).toMatchObject([{ data: { recovered: false } }]);
    expect(stream.texts).toEqual(kept);
  } finally {
    await small.cluster?.[Symbol.asyncDispose]();
  }
}, 120_000);
