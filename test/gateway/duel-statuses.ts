import { ProtocolError } from "../../src/protocol/errors.ts";
import type { PlayerMessage } from "../../src/protocol/game-codec.ts";
import type { GameAnswer } from "../../src/protocol/game-requests.ts";
import type { Asked } from "./gateway-scene.ts";

const match = "0a1b2c3d4e5f6a7b";
const noMatch = "4".repeat(16);
const overMatch = "9".repeat(16);
const seated = "bruno";
const action = { type: "pass" };

/** For each operation about matches, how a request succeeds. */
const successes: Readonly<Record<string, Asked>> = {
  "GET /duel": {},
  "GET /users/{user}/duel": { path: { user: "ana" } },
  "POST /duel/queue": { body: { rules: "clash" } },
  "DELETE /duel/queue": {},
  "POST /duel/acts": { body: { match, action } },
};

/** For each status and operation, a request that `refuseDuel` refuses, and the user who makes it. */
const refused: Readonly<Record<string, Asked & { readonly user?: string }>> = {
  "404 POST /duel/acts": { body: { match: noMatch, action } },
  "409 POST /duel/acts": { body: { match: overMatch, action } },
  "409 POST /duel/queue": { body: { rules: "duel" } },
  "409 DELETE /duel/queue": { user: seated },
};

/**
 * Returns a request about matches that gets a status from the game server.
 * @param operation such as `GET /duel`
 */
export function duelAsked(
  operation: string,
  status?: number,
): (Asked & { readonly user?: string }) | undefined {
  return status === undefined ? successes[operation] : refused[`${status} ${operation}`];
}

/** Answers as a game server by which bruno, and everybody who wants to play duel, sits in a match. */
export function refuseDuel({ user, request }: PlayerMessage): GameAnswer {
  switch (request.type) {
    case "enter":
      if (request.rules === "duel") throw new ProtocolError("seated", "The user sits in a match.");
      return { phase: "waiting", rules: request.rules, waitedMs: 0 };
    case "leave":
      if (user === seated) throw new ProtocolError("seated", "The user sits in a match.");
      return { phase: "idle" };
    case "look":
      return { phase: "idle" };
    case "act":
      if (request.match === noMatch) throw new ProtocolError("match_not_found", "No such match.");
      if (request.match === overMatch) throw new ProtocolError("match_over", "It is over.");
      return { eventSeq: 1 };
    default:
      return request satisfies never;
  }
}
