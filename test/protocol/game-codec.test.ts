import { expect, test } from "vitest";
import { encode } from "../../src/protocol/codec.ts";
import { ProtocolError } from "../../src/protocol/errors.ts";
import {
  askedIn,
  encodeGameAnswer,
  encodeGameError,
  parsePlayerMessage,
} from "../../src/protocol/game-codec.ts";

const match = "0123456789abcdef";

function refusalOf(value: unknown): string | undefined {
  try {
    parsePlayerMessage(encode(value));
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  return undefined;
}

test.each([
  ["a service that is a map", { service: { toString: 1, valueOf: 1 }, data: { user: "ada" } }],
  ["a service that is a list", { service: ["look"], data: { user: "ada" } }],
  ["no service", { data: { user: "ada" } }],
  ["data that is no map", { service: "look", data: 7 }],
  ["a list", [1, 2]],
  [
    "an action that is no map",
    { service: "act", data: { user: "ada", id: "a", match, action: 1 } },
  ],
  [
    "a card that does not exist",
    { service: "act", data: { user: "ada", id: "a", match, action: { type: "play", card: "x" } } },
  ],
  ["no id", { service: "act", data: { user: "ada", match, action: { type: "pass" } } }],
])("a request with %s is refused as bad_request", (_what, value) => {
  expect(refusalOf(value)).toBe("bad_request");
});

test("a request for a service that does not exist is refused as unknown_service", () => {
  expect(refusalOf({ service: "toString", data: { user: "ada" } })).toBe("unknown_service");
});

test.each([-1, Number.NaN, 1e308, 2 ** 53, "10000"])(
  "a look that wants to wait for %s ms waits for at most 10 s",
  (waitMs) => {
    const { request } = parsePlayerMessage(
      encode({ service: "look", data: { user: "ada", waitMs } }),
    );
    expect(request).toMatchObject({ type: "look" });
    const wait = (request as { waitMs: number }).waitMs;
    expect(wait >= 0 && wait <= 10_000).toBe(true);
  },
);

test("an answer names the service of the request, in the format of the request", () => {
  const asked = askedIn(Buffer.from('{"service":"leave","data":{"user":"ada"}}'));
  const answer = JSON.parse(Buffer.from(encodeGameAnswer(asked, { phase: "idle" })).toString());
  expect(answer).toEqual({ service: "leave", data: { status: "OK", phase: "idle" } });
  const error = encodeGameError(asked, new ProtocolError("unavailable", "Later."));
  expect(JSON.parse(Buffer.from(error).toString()).data).toEqual({
    status: "erro",
    code: "unavailable",
    description: "Later.",
    retry: true,
  });
});
