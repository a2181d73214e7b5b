import { expect, test } from "vitest";
import { digest } from "../../../src/platform/digest.ts";
import type { Incoming, SentReply } from "../../../src/protocol/client-messages.ts";
import type { Chain, ChannelName, ServerName, UserName } from "../../../src/protocol/ids.ts";
import { LamportClock } from "../../../src/protocol/lamport-clock.ts";
import type { Entry } from "../../../src/protocol/publications.ts";
import { readTerms } from "../../../src/protocol/search-words.ts";
import { Presence } from "../../../src/server/core/chat/presence.ts";
import type { Effect } from "../../../src/server/core/effects.ts";
import { Flood } from "../../../src/server/core/serving/flood.ts";
import {
  type Appended,
  type Engine,
  EngineUnavailable,
  type Needs,
  type NewEvent,
} from "../../../src/server/engine/engine.ts";
import { EngineCore } from "../../../src/server/engine/engine-core.ts";
import { Slice } from "../../../src/server/engine/slice.ts";
import { until } from "../../support/until.ts";

const name = "server_00000001" as ServerName;
const ana = "ana" as UserName;

/** A core whose engine has what `fill` puts into each slice, and appends when a test lets it. */
class Tried {
  readonly loads: Needs[] = [];
  readonly appends: (readonly NewEvent[])[] = [];
  readonly replies: SentReply[] = [];
  readonly passwords: number[] = [];
  readonly core: EngineCore;
  nowMs = 1_000;
  end: (appended: readonly Appended[]) => void = () => {};
  endSearch: ((found: readonly Entry[]) => void) | undefined;
  /** With which each load fails. */
  failure: Error | undefined;

  constructor(auth: "open" | "required", fill: (slice: Slice) => void) {
    const engine = {
      load: async (needs: Needs, into = new Slice()) => {
        this.loads.push(needs);
        if (this.failure !== undefined) throw this.failure;
        fill(into);
        return into;
      },
      append: (events: readonly NewEvent[]) => {
        this.appends.push(events);
        return new Promise<readonly Appended[]>((resolve) => {
          this.end = resolve;
        });
      },
      decide: () => new Promise(() => {}),
      search: () => {
        return new Promise<readonly Entry[]>((resolve) => {
          this.endSearch = resolve;
        });
      },
      markPublished: async () => {},
    } as unknown as Engine;
    const now = () => ({ steadyMs: this.nowMs, wallMs: this.nowMs });
    this.core = new EngineCore({
      engine,
      services: {
        ...{ name, clock: new LamportClock(), digest, auth, presence: new Presence(name) },
        ...{ correctedMs: () => this.nowMs, topicKeys: [], chance: "" as Chain },
        status: () => {
          throw new Error("nobody asks for the status");
        },
      },
      flood: new Flood({ user: undefined, connection: undefined }, auth),
      now,
      perform: (effect: Effect) => {
        if (effect.type === "reply") this.replies.push(...effect.replies);
        if (effect.type === "password") this.passwords.push(effect.number);
      },
    });
  }

  ask(...requests: object[]): void {
    const to = {} as never;
    const parsed = requests as unknown as readonly Incoming[];
    this.core.take({ type: "requests", to, batch: true, connection: "c", requests: parsed });
  }

  async answered(count: number): Promise<(string | undefined)[]> {
    await until(() => this.replies.length >= count, `${count} requests are answered`);
    return this.replies.map(({ data }) => data.code as string | undefined);
  }
}

const login = (slice: Slice) => {
  const place = { server: name, seq: 1, clock: 1, time: 0, id: undefined };
  slice.chat.addLogin(ana, place);
  slice.committed = { [name]: 1 };
};
const historyOf = (user: string, limit = 1_000) => ({
  ...{ service: "history", conversation: { user }, limit },
});

test("without a session nobody makes a server with an engine load what it would refuse to tell", async () => {
  const tried = new Tried("required", login);
  tried.ask(historyOf("ana"), { service: "users" }, { service: "message", src: ana, dst: ana });
  expect(await tried.answered(3)).toEqual(Array(3).fill("unauthenticated"));
  for (const needs of tried.loads) {
    expect([needs.history.size, needs.names.size, needs.users.size]).toEqual([0, 0, 0]);
  }
});

test("one payload makes a server with an engine load no more than its replies can show, and what is beyond is refused with retry", async () => {
  const tried = new Tried("open", login);
  tried.ask(...Array.from({ length: 1_000 }, (_, at) => historyOf(`user${at}`)));
  tried.ask(historyOf("ana", 1));
  const codes = await tried.answered(1_001);
  expect(codes.filter((code) => code === "unavailable").length).toBeGreaterThan(900);
  expect(tried.replies.at(-1)?.data.status).toBe("OK");
  for (const needs of tried.loads) {
    const rows = [...needs.history.values()].reduce((sum, { limit }) => sum + limit, 0);
    expect(rows).toBeLessThan(32_000);
  }
});

test("requests that wait for what nobody has written make a server with an engine load no more than new ones do", async () => {
  const tried = new Tried("open", login);
  const after = { [name]: 9 };
  for (let client = 0; client < 200; client += 1) {
    tried.ask({ ...historyOf(`user${client}`), after });
  }
  await until(() => tried.core.serving.open === 200, "all requests wait");
  tried.ask(historyOf("ana", 1));
  await tried.answered(1);
  expect(tried.replies[0]?.data.status).toBe("OK");
  for (const needs of tried.loads) {
    const rows = [...needs.history.values()].reduce((sum, { limit }) => sum + limit, 0);
    expect(rows).toBeLessThan(64_000);
  }
});

test("a list that many clients ask for at once is loaded once", async () => {
  const tried = new Tried("open", login);
  for (let client = 0; client < 50; client += 1) tried.ask({ service: "users", limit: 10_000 });
  await tried.answered(50);
  expect(tried.loads.map(({ names }) => names.size)).toEqual([1]);
});

test("an event for which nobody waits any more is not appended, so events don't pile up while an engine is slow", async () => {
  const tried = new Tried("open", login);
  const say = (id: string) => {
    tried.ask({ service: "message", src: ana, dst: ana, message: "hi", id });
  };
  say("1");
  await until(() => tried.appends.length === 1, "the first event is being appended");
  say("2");
  await until(() => tried.core.serving.open === 2, "two requests wait");
  tried.nowMs += 10_000;
  tried.core.wake();
  expect(await tried.answered(2)).toEqual(["unavailable", "unavailable"]);
  say("3");
  await until(() => tried.core.serving.open === 1, "the third request waits");
  const place = { server: name, seq: 2, clock: 2, time: 0, id: undefined };
  tried.end([{ place, isNew: true, prevs: new Map(), versions: new Map() }]);
  await until(() => tried.appends.length === 2, "the next events are being appended");
  expect(tried.appends.map((events) => events.map(({ id }) => id))).toEqual([["1"], ["3"]]);
});

test("[K6] a write or an operation that the engine does not confirm in time is refused with words about the database, and may be sent again", async () => {
  const tried = new Tried("open", login);
  tried.ask({ service: "message", src: ana, dst: ana, message: "hi", id: "1" });
  tried.ask({ service: "buy", user: ana, pack: "basic", id: "2" });
  await until(() => tried.core.serving.open === 2, "two requests wait");
  tried.nowMs += 10_000;
  tried.core.wake();
  await tried.answered(2);
  const text =
    "The servers' database does not answer, or its standby does not confirm, so it may still take " +
    "effect: send it again with the same id.";
  for (const { data } of tried.replies) {
    expect(data).toMatchObject({ code: "unavailable", retry: true, description: text });
  }
});

test("[K10] a request that others overtake each time is given up after a while, and the engine has peace", async () => {
  const tried = new Tried("open", login);
  tried.ask({ service: "message", src: ana, dst: ana, message: "hi", id: "1" });
  for (let tries = 1; tried.replies.length === 0 && tries < 100; tries += 1) {
    await until(() => tried.appends.length >= tries || tried.replies.length > 0, "it is decided");
    tried.end(["conflict"]);
  }
  expect(await tried.answered(1)).toEqual(["unavailable"]);
});

test("[K10] an event says what must still be true of its maker: their credential, and how many channels they may have", async () => {
  const account = { user: ana, id: "1" as never, credential: "c", version: "v", looks: ["ana"] };
  const tried = new Tried("required", (slice) => {
    login(slice);
    slice.accounts.set(account);
  });
  const session = { user: ana, version: "v", issuedMs: 0, expiresMs: 1e9, isOperator: false };
  const proof = { token: "t", session };
  tried.ask({ service: "message", src: ana, dst: ana, message: "hi", ...proof });
  tried.ask({ service: "channel", channel: "general", ...proof });
  await until(() => tried.appends.length > 0, "the events are being appended");
  expect(tried.appends.flat()).toMatchObject([{ version: "v" }, { version: "v", most: 200 }]);
});

test("[A10] a channel that is removed while the engine searches it shows no messages", async () => {
  const channel = "general" as ChannelName;
  const place = { server: name, seq: 2, clock: 2, time: 0, id: undefined };
  let isRemoved = false;
  const tried = new Tried("open", (slice) => {
    login(slice);
    slice.chat.addCreation(channel, { ...place, user: ana });
    if (isRemoved) slice.chat.removals.add(channel, { ...place, channel, by: ana, isRemoved });
  });
  tried.ask({ service: "search", conversation: { channel }, terms: readTerms("hi"), limit: 10 });
  await until(() => tried.endSearch !== undefined, "the engine searches");
  isRemoved = true;
  tried.endSearch?.([]);
  expect(await tried.answered(1)).toEqual(["channel_not_found"]);
});

test("[X2] a user who is locked while their password is checked is not logged in by a server with an engine", async () => {
  let locked: true | undefined;
  const account = { user: ana, id: "1" as never, credential: "c", version: "v", looks: ["ana"] };
  const tried = new Tried("required", ({ accounts }) => accounts.set({ ...account, locked }));
  tried.ask({ service: "login", user: ana, password: "right" });
  await until(() => tried.passwords.length === 1, "the password is being checked");
  locked = true;
  tried.core.passwordDone(tried.passwords[0] as number, { isRight: true, credential: undefined });
  expect(await tried.answered(1)).toEqual(["forbidden"]);
});

test("a request for which the engine does not answer is refused with retry, and the server goes on", async () => {
  const tried = new Tried("open", login);
  tried.failure = new EngineUnavailable("its database has failed");
  tried.ask(historyOf("ana", 1));
  expect(await tried.answered(1)).toEqual(["unavailable"]);
  tried.failure = undefined;
  tried.ask(historyOf("ana", 1));
  expect(await tried.answered(2)).toEqual(["unavailable", undefined]);
});
