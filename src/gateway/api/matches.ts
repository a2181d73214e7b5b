import { Type } from "typebox";
import type { UserName } from "../../protocol/ids.ts";
import { rulesNames } from "../../protocol/matches.ts";
import { type AddRoutes, answers, name } from "./route.ts";

const match = Type.String({ description: "The id of the match: 16 hex digits." });
const rules = Type.Enum([...rulesNames]);
const term = Type.Integer({ minimum: 1, description: "Counted from 1 in each match." });
const host = Type.String({ description: "The game server that hosts the match." });
const shadow = Type.Optional(Type.String({ description: "The game server with a copy, if any." }));
const player = Type.Object({
  user: name,
  game: Type.String({ description: "The game server by which the user came." }),
});

const record = {
  rating: Type.Integer({ description: "1,200 before the first match." }),
  won: Type.Integer(),
  lost: Type.Integer(),
  drawn: Type.Integer(),
};

const openMatch = Type.Object(
  { match, rules, players: Type.Array(player), term, host, shadow },
  { title: "Open match" },
);

const endedMatch = Type.Object(
  {
    match,
    rules,
    users: Type.Array(name),
    winner: Type.Optional(Type.String({ description: "Missing if nobody has won." })),
    isVoid: Type.Optional(Type.Boolean({ description: "Whether the match does not count." })),
    ratings: Type.Array(Type.Integer(), { description: "After the match, as in `users`." }),
    endedMs: Type.Integer({ description: "Milliseconds since 1970." }),
  },
  { title: "Ended match" },
);

const matches = Type.Object({
  open: Type.Optional(openMatch),
  record: Type.Object(record),
  ended: Type.Array(endedMatch, { description: "The last 10 matches, the newest first." }),
});

const ranking = Type.Object({
  players: Type.Array(Type.Object({ user: name, ...record }), {
    description: "The 20 users with the highest ratings, the best first.",
  }),
});

/** Matches and ratings, to be read (Q23). */
export const matchRoutes: AddRoutes = (api, people) => {
  api.get(
    "/users/:user/matches",
    {
      schema: {
        summary: "See a user's record, open match and last matches",
        tags: ["matches"],
        params: Type.Object({ user: name }),
        response: answers(matches, "name_invalid"),
      },
    },
    (request, reply) =>
      people.serve(request, reply, async (session) => {
        const user = request.params.user as UserName;
        const { open, record: own, ended } = await session.ask("match", { user });
        return { open, record: own, ended } as never;
      }),
  );

  api.get(
    "/ranking",
    {
      schema: {
        summary: "List the users with the highest ratings",
        tags: ["matches"],
        response: answers(ranking),
      },
    },
    (request, reply) =>
      people.serve(request, reply, async (session) => {
        const { players } = await session.ask("ranking", {});
        return { players } as never;
      }),
  );
};
