import type { FastifyReply, FastifyRequest } from "fastify";
import { type Static, Type } from "typebox";
import { randomHex } from "../../platform/random.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { parseGameRequest } from "../../protocol/game-codec.ts";
import type { GameRequest } from "../../protocol/game-requests.ts";
import type { UserName } from "../../protocol/ids.ts";
import { credentialsOf } from "../credentials.ts";
import type { Game, Games } from "../games.ts";
import { type People, requestId, userOf } from "../people.ts";
import { action, eventSeq, look, match, pollQuery, rules } from "./duel-schemas.ts";
import { type AddRoutes, type Api, answers, name, outcomes } from "./route.ts";

/** The most requests of a gateway that wait for game servers. */
const mostOpen = 4_096;

type Serve = <T>(
  request: FastifyRequest,
  reply: FastifyReply,
  act: (game: Game) => Promise<T>,
) => Promise<T>;

/** Matches of cards, played by way of the game servers (M1 to M9). */
export function duelRoutes(games: Games): AddRoutes {
  return (api, people) => {
    const serve = serveBy(people, games);
    for (const add of [addLooks, addQueue, addActs]) add(api, serve);
  };
}

/** Returns a function that makes one HTTP request's calls to the game servers. */
function serveBy(people: People, games: Games): Serve {
  let open = 0;
  return (request, reply, act) =>
    people.serve(request, reply, async (session) => {
      const user = userOf(session);
      if (open >= mostOpen) {
        throw new ProtocolError("unavailable", "Too many requests wait for the game servers.");
      }
      open += 1;
      try {
        // The cluster checks the session and renews its token, and the request counts for the pace
        // of the person's address.
        await session.ask("channels", { limit: 1 });
        const { token } = credentialsOf(request);
        return await act(games.player(user, () => token));
      } finally {
        open -= 1;
      }
    });
}

function lookOf(game: Game, query: Static<typeof pollQuery>, of?: string): Promise<never> {
  const { match, eventSeq, wait = 0 } = query;
  const after = eventSeq === undefined && match === undefined ? undefined : { match, eventSeq };
  const fields = { of, after, waitMs: Math.round(wait * 1_000) };
  const asked = parseGameRequest("look", fields) as GameRequest & { readonly type: "look" };
  return game.look(asked.after, asked.waitMs, asked.of) as Promise<never>;
}

function addLooks(api: Api, serve: Serve): void {
  api.get(
    "/duel",
    {
      schema: {
        summary: "See how the own match stands, or wait for news of it",
        tags: ["duel"],
        querystring: pollQuery,
        response: answers(look),
      },
    },
    (request, reply) => serve(request, reply, (game) => lookOf(game, request.query)),
  );

  api.get(
    "/users/:user/duel",
    {
      schema: {
        summary: "Watch the match of a user, without the players' hands",
        tags: ["duel"],
        params: Type.Object({ user: name }),
        querystring: pollQuery,
        response: answers(look, "name_invalid"),
      },
    },
    (request, reply) =>
      serve(request, reply, (game) => lookOf(game, request.query, request.params.user as UserName)),
  );
}

function addQueue(api: Api, serve: Serve): void {
  api.post(
    "/duel/queue",
    {
      schema: {
        summary: "Look for a match",
        tags: ["duel"],
        body: Type.Object({ rules }),
        response: outcomes(200, look, "seated"),
      },
    },
    (request, reply) =>
      serve(request, reply, (game) => game.enter(request.body.rules) as Promise<never>),
  );

  api.delete(
    "/duel/queue",
    {
      schema: {
        summary: "Look for a match no more",
        tags: ["duel"],
        response: outcomes(200, look, "seated"),
      },
    },
    (request, reply) => serve(request, reply, (game) => game.leave() as Promise<never>),
  );
}

function addActs(api: Api, serve: Serve): void {
  api.post(
    "/duel/acts",
    {
      schema: {
        summary: "Do something in the own match",
        tags: ["duel"],
        body: Type.Object({ match, action }),
        response: outcomes(
          200,
          Type.Object({ eventSeq }, { description: "The last event that the action made." }),
          ...(["not_in_match", "match_not_found", "match_over", "not_started"] as const),
          ...(["already_ready", "deck_wrong", "not_your_turn", "card_not_in_hand"] as const),
          ...(["card_does_not_beat", "already_played", "too_few_points"] as const),
          ...(["too_early", "move_unknown", "sold_out", "too_few_coins"] as const),
        ),
      },
    },
    (request, reply) =>
      serve(request, reply, (game) => {
        const { id = randomHex(8) } = requestId(request);
        const asked = parseGameRequest("act", { ...request.body, id });
        const { match, action } = asked as GameRequest & { readonly type: "act" };
        return game.act(match, action, id);
      }),
  );
}
