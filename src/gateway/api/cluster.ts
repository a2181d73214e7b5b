import { Type } from "typebox";
import { presenceStates } from "../../protocol/client-messages.ts";
import { type AddRoutes, name, replies } from "./route.ts";

/** Presence, the cluster's time, and its status. */
export const clusterRoutes: AddRoutes = (api, people) => {
  api.put(
    "/presence",
    {
      schema: {
        summary: "Report the own presence, and list who is online",
        description:
          "To be repeated every 10 s; who does not report for 30 s is gone. `client` tells the " +
          "devices of one user apart.",
        tags: ["people"],
        body: Type.Object({
          state: Type.Union(presenceStates.map((state) => Type.Literal(state))),
          client: Type.Optional(Type.String()),
        }),
        response: replies(
          200,
          Type.Object({ present: Type.Array(Type.Object({ user: name, state: Type.String() })) }),
          "user_not_found",
          "behind",
        ),
      },
    },
    (request, reply) =>
      people.serve(request, reply, async (session) => {
        const { state, client } = request.body;
        const data = { user: session.user, state, ...(client === undefined ? {} : { client }) };
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
        response: replies(200, Type.Object({ time: Type.String() })),
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
        response: replies(200, Type.Unknown()),
      },
    },
    (request, reply) => people.serve(request, reply, (session) => session.status()),
  );
};
