import { expect, test, vi } from "vitest";
import { ProtocolError } from "../../src/protocol/errors.ts";
import { sessionOf } from "./chat-session-of.ts";

const ended = new ProtocolError("unauthenticated", "The session has ended.");

test("if two requests are refused because the session has ended, the person is asked only once to log in", async () => {
  let isIn = false;
  const logIn = vi.fn(async () => {
    isIn = true;
    return true;
  });
  const session = sessionOf({}, { logIn });
  const request = async () => {
    if (!isIn) throw ended;
    return "served";
  };
  const answers = await Promise.all([session.ask(request), session.ask(request)]);
  expect(answers).toEqual(["served", "served"]);
  expect(logIn).toHaveBeenCalledTimes(1);
});

test("if the refusal of a request arrives after a new log-in, the request is repeated without asking the person to log in", async () => {
  const logIn = vi.fn(async () => true);
  const session = sessionOf({}, { logIn });
  const refuse: ((error: unknown) => void)[] = [];
  let tries = 0;
  const request = () => {
    tries += 1;
    if (tries > 2) return Promise.resolve("served");
    return new Promise<string>((_resolve, reject) => refuse.push(reject));
  };
  const [first, late] = [session.ask(request), session.ask(request)];
  refuse[0]?.(ended);
  expect(await first).toBe("served");
  refuse[1]?.(ended);
  expect(await late).toBe("served");
  expect(logIn).toHaveBeenCalledTimes(1);
});

test("if the person declines to log in, the chat's request fails with the original refusal", async () => {
  const logIn = vi.fn(async () => false);
  const session = sessionOf({}, { logIn });
  await expect(session.ask(() => Promise.reject(ended))).rejects.toBe(ended);
  expect(logIn).toHaveBeenCalledTimes(1);
});

test("a refused request does not ask the person to log in after the chat has ended", async () => {
  const logIn = vi.fn(async () => true);
  const session = sessionOf({}, { logIn, signal: AbortSignal.abort() });
  await expect(session.ask(() => Promise.reject(ended))).rejects.toBe(ended);
  expect(logIn).not.toHaveBeenCalled();
});

test("`isNews` is true for the first of several equal refusals, and again after a request has succeeded", async () => {
  const session = sessionOf({});
  expect([session.isNews(ended), session.isNews(ended)]).toEqual([true, false]);
  await session.ask(async () => {});
  expect(session.isNews(ended)).toBe(true);
});

test("a chat session reports its person as online or away, and ignores errors of these reports", async () => {
  const ending = new AbortController();
  const told: string[] = [];
  const presence = async (state: string) => {
    told.push(state);
    if (told.length === 2) ending.abort();
    throw new ProtocolError("unavailable", "No majority.");
  };
  const session = sessionOf({ presence }, { signal: ending.signal });
  await session.quietly(async () => void (await session.presence()));
  session.isAway = true;
  await session.beat();
  expect(told).toEqual(["online", "away"]);
});
