import fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { QueueAsker } from "../../src/client/pending-requests.ts";
import { RequestQueue } from "../../src/client/request-queue.ts";
import type { RequestPipeEvents } from "../../src/net/request-pipe.ts";
import { seededRandom } from "../../src/platform/random.ts";
import { decode, encode } from "../../src/protocol/codec.ts";
import { parseUserName, type RequestId } from "../../src/protocol/ids.ts";
import { LamportClock } from "../../src/protocol/lamport-clock.ts";
import { type Fate, StandInPipe } from "../support/stand-in-pipe.ts";
import type { StandInRequest } from "../support/stand-in-server.ts";

beforeEach(() => {
  const timers = ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] as const;
  vi.useFakeTimers({ toFake: [...timers, "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

function meet() {
  const pipe = new StandInPipe();
  const options = {
    brokers: [],
    clock: new LamportClock(),
    onState: () => {},
  };
  const queue = new RequestQueue(options, {
    chance: seededRandom(1),
    openPipe: (events) => pipe.open(events),
  });
  return { pipe, queue };
}

/** Returns an object that shows the request's outcome, and the time at which the request ended. */
function follow(asking: Promise<unknown>) {
  const followed = { outcome: "open" as "open" | "answered" | "failed", atMs: 0 };
  const end = (outcome: "answered" | "failed") => () => {
    Object.assign(followed, { outcome, atMs: performance.now() });
  };
  asking.then(end("answered"), end("failed"));
  return followed;
}

const none: Fate = { delayMs: 0, answer: "none" };
const deadlineMs = 15_000;
const asker: QueueAsker = { seen: {}, token: undefined, takeToken: () => {} };
const eva = { user: parseUserName("eva"), password: "eva's" };

test("[D8] [D9] an operation that is sent again asks for the state as of now, and a first one does not", async () => {
  const { pipe, queue } = meet();
  pipe.fates = [none];
  const asked = follow(queue.ask("register", eva, { asker, deadlineMs }));
  await vi.advanceTimersByTimeAsync(deadlineMs);
  expect(asked.outcome).toBe("answered");
  const registers = pipe.asked.filter(({ service }) => service === "register");
  expect(registers.map(({ data }) => data.consistency)).toEqual([undefined, "now"]);
});

test("[X9] a person behind a gateway learns at once that they ask too often, and the gateway does not ask again for them", async () => {
  const { pipe, queue } = meet();
  pipe.fates = [{ delayMs: 10, answer: "limit" }];
  const asked = follow(
    queue.ask("users", {}, { asker: { ...asker, via: "192.0.2.1" }, deadlineMs }),
  );
  await vi.advanceTimersByTimeAsync(deadlineMs);
  expect(asked).toEqual({ outcome: "failed", atMs: expect.closeTo(10, -2) });
  expect(pipe.asked).toHaveLength(1);
});

test("[C2] a client repeats a request once, not twice, if a late answer asks for a retry that the client has already planned", async () => {
  const { pipe, queue } = meet();
  // Until a Tertulia server has answered, the client sends one payload at a time.
  pipe.fates = [{ delayMs: 3_000, answer: "retry" }, none, none, { delayMs: 500, answer: "OK" }];
  const asked = (["users", "channels", "channels"] as const).map((service) =>
    follow(queue.ask(service, {}, { asker, deadlineMs })),
  );
  await vi.advanceTimersByTimeAsync(deadlineMs);
  expect(asked.map(({ outcome }) => outcome)).toEqual(["answered", "answered", "answered"]);
  expect(pipe.asked.filter(({ service }) => service === "users")).toHaveLength(2);
  // On a new connection the client sends one payload at a time, so a payload left open would block
  // the next.
  pipe.cut();
  pipe.heal();
  const next = follow(queue.ask("users", {}, { asker, deadlineMs }));
  await vi.advanceTimersByTimeAsync(deadlineMs);
  expect(next.outcome).toBe("answered");
  queue.close();
});

test("[C8] a client sends its probe for the servers' protocol before the requests that wait", async () => {
  const { pipe, queue } = meet();
  pipe.fates = Array.from({ length: 3 }, () => none);
  const asked = Array.from({ length: 10 }, () =>
    follow(queue.ask("register", eva, { asker, deadlineMs })),
  );
  await vi.advanceTimersByTimeAsync(deadlineMs);
  expect(pipe.asked.slice(0, 3).map(({ service }) => service)).toEqual([
    "register",
    "channels",
    "register",
  ]);
  expect(asked.every(({ outcome }) => outcome === "answered")).toBe(true);
  queue.close();
});

test("[C2] a client's open request fails when a new request with the same id replaces the open request", async () => {
  const { pipe, queue } = meet();
  pipe.fates = [none];
  const options = { asker, id: "own-1" as RequestId, deadlineMs };
  const first = queue.ask("users", {}, options);
  const second = follow(queue.ask("users", {}, options));
  await expect(first).rejects.toMatchObject({ code: "unavailable", retry: true });
  await vi.advanceTimersByTimeAsync(deadlineMs);
  expect(second.outcome).toBe("answered");
  queue.close();
});

const anyFate: fc.Arbitrary<Fate> = fc.record({
  delayMs: fc.constantFrom(1, 500, 1_300, 2_100, 4_000),
  answer: fc.constantFrom("OK", "retry", "retry", "none"),
});

const anyStep = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("ask" as const),
      service: fc.constantFrom("users" as const, "register" as const),
      // A program that makes its own ids may use one id twice.
      id: fc.constantFrom(undefined, undefined, "own-1" as RequestId, "own-2" as RequestId),
      deadlineMs: fc.constantFrom(2_500, 15_000),
      count: fc.integer({ min: 1, max: 4 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("cut" as const, "heal" as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("wait" as const),
      ms: fc.constantFrom(10, 100, 1_000, 3_000),
    }),
  },
);

test("[C1] [C2] with random disconnections, losses and delays, each request ends by its deadline, and a request after the last disconnection is answered", async () => {
  const fates = fc.array(anyFate, { maxLength: 40 });
  const steps = fc.array(anyStep, { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(steps, fates, async (plan, drawn) => {
      const { pipe, queue } = meet();
      pipe.fates = [...drawn];
      const asked: { byMs: number; followed: ReturnType<typeof follow> }[] = [];
      for (const step of plan) {
        if (step.do === "ask") {
          for (let count = 0; count < step.count; count += 1) {
            const byMs = performance.now() + step.deadlineMs;
            asked.push({
              byMs,
              followed: follow(queue.ask(step.service, eva, { ...step, asker })),
            });
          }
        } else if (step.do === "wait") await vi.advanceTimersByTimeAsync(step.ms);
        else pipe[step.do]();
      }
      // On a new connection the client does not know the servers' protocol, and sends one payload
      // at a time.
      pipe.cut();
      pipe.heal();
      pipe.fates = [];
      const healedMs = performance.now();
      const last = follow(queue.ask("register", eva, { asker, deadlineMs }));
      await vi.advanceTimersByTimeAsync(deadlineMs + 100);
      for (const { byMs, followed } of asked) {
        expect(followed.outcome).not.toBe("open");
        expect(followed.atMs).toBeLessThan(byMs + 100);
      }
      expect(last.outcome).toBe("answered");
      expect(last.atMs).toBeLessThan(healedMs + 6_000);
      queue.close();
    }),
    { numRuns: 200 },
  );
}, 60_000);

test("[W17] a second reply to one session's repeated request does not answer another session's request with the same id", async () => {
  const { pipe, queue } = meet();
  pipe.fates = [{ delayMs: 1_500, answer: "OK" }, { delayMs: 1_000, answer: "OK" }, none];
  const id = "order-17" as RequestId;
  const asked = [asker, { ...asker }].map((one) =>
    follow(queue.ask("users", {}, { asker: one, id, deadlineMs })),
  );
  await vi.advanceTimersByTimeAsync(4_000);
  expect(asked.map(({ outcome }) => outcome)).toEqual(["answered", "open"]);
  await vi.advanceTimersByTimeAsync(deadlineMs);
  expect(asked.map(({ outcome }) => outcome)).toEqual(["answered", "answered"]);
  expect(pipe.asked).toHaveLength(4);
  queue.close();
});

test("[A2] a session ignores a renewed token if another user has logged in since the request was sent", async () => {
  let events: RequestPipeEvents | undefined;
  const sent: StandInRequest[] = [];
  const openPipe = (given: RequestPipeEvents) => {
    events = given;
    given.onConnections(1);
    const send = async (payload: Uint8Array) => {
      sent.push(...[decode(payload) as StandInRequest | StandInRequest[]].flat());
    };
    return { send, close: () => {} };
  };
  const options = { brokers: [], clock: new LamportClock(), onState: () => {} };
  const queue = new RequestQueue(options, { chance: seededRandom(1), openPipe });
  const session = {
    seen: {},
    token: "first",
    takeToken(token: string) {
      this.token = token;
    },
  };
  const users = queue.ask("users", {}, { asker: session, deadlineMs });
  await vi.advanceTimersByTimeAsync(1);
  const answer = (token: string) => {
    const { service, data } = sent.at(-1) as StandInRequest;
    const said = { id: data.id, server: "server_0000000a", clock: 1, users: [], status: "OK" };
    events?.onPayload(Buffer.from(encode({ service, data: { ...said, token } })));
  };
  // Another user logs in before the answer comes.
  session.token = "another user's";
  answer("the first, renewed");
  await users;
  expect(session.token).toBe("another user's");
  const again = queue.ask("users", {}, { asker: session, deadlineMs });
  await vi.advanceTimersByTimeAsync(1);
  answer("the other's, renewed");
  await again;
  expect(session.token).toBe("the other's, renewed");
  queue.close();
});
