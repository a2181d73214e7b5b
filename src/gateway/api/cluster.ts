import { Type } from "typebox";
import { presenceStates } from "../../protocol/client-messages.ts";
import { userOf } from "../people.ts";
import { type AddRoutes, answers, name, outcomes } from "./route.ts";

/** Further fields describe each server; they may change between versions. */
const status = Type.Object(
  {
    members: Type.Array(
      Type.Object(
        { name: Type.String(), member: Type.Boolean(), live: Type.Boolean() },
        { additionalProperties: true },
      ),
    ),
    view: Type.Optional(
      Type.Object(
        { number: Type.Integer(), members: Type.Array(Type.String()) },
        { additionalProperties: true },
      ),
    ),
  },
  { additionalProperties: true },
);

/** Presence, the cluster's time, and its status. */
export const clusterRoutes: AddRoutes = (api, people) => {
  api.put(
    "/presence",
    {
      schema: {
        summary: "Report the own presence, and list who is online",
        description:
          "To be repeated every 10 s: a user without a report for 30 s is gone. `client` tells the " +
          "devices of one user apart.",
        tags: ["people"],
        body: Type.Object({
          state: Type.Enum([...presenceStates]),
          client: Type.Optional(Type.String()),
        }),
        response: outcomes(
          200,
          Type.Object({ present: Type.Array(Type.Object({ user: name, state: Type.String() })) }),
          "user_not_found",
        ),
      },
    },
    (request, reply) =>
      people.serve(request, reply, async (session) => {
        const { state, client } = request.body;
        const data = { user: userOf(session), state, ...(client === undefined ? {} : { client }) };
        const { present } = await session.ask("presence", data);
        return { present };
      }),
  );

  api.get(
    "/time",
    {
      schema: {
        summary: "Tell the cluster's time",
        tags: ["cluster"],
        response: answers(Type.Object({ time: Type.String() })),
      },
    },
    (request, reply) =>
      people.serve(request, reply, async (session) => ({ time: await session.time() })),
  );

  api.get(
    "/status",
    {
      schema: {
        summary: "Tell the status of the cluster, as one server sees it",
        tags: ["cluster"],
        response: answers(status),
      },
    },
    (request, reply) => people.serve(request, reply, (session) => session.status()),
  );
};
