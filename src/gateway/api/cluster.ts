import { type TSchema, Type } from "typebox";
import type { ClusterStatus } from "../../client/core/cluster-status.ts";
import { presenceStates } from "../../protocol/client-messages.ts";
import { serverStepKinds } from "../../protocol/steps.ts";
import { userOf } from "../people.ts";
import { type AddRoutes, type Api, answers, name, outcomes, problems } from "./route.ts";

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

const step = Type.Object({
  kind: Type.Enum([...serverStepKinds]),
  atMs: Type.Number({
    description: "Milliseconds since 1970, by the clock of the server's machine.",
  }),
  clock: Type.Integer({ description: "The server's Lamport clock after the step." }),
  peer: Type.Optional(Type.String({ description: "The server that sent the message." })),
  sentClock: Type.Optional(
    Type.Integer({ description: "The Lamport clock in the received message." }),
  ),
});

const trace = Type.Object({
  event: Type.Optional(
    Type.Object(
      {
        server: Type.String(),
        seq: Type.Integer(),
        clock: Type.Integer(),
        id: Type.String(),
        operation: Type.String(),
      },
      { description: "Missing if no server remembers the event." },
    ),
  ),
  servers: Type.Array(
    Type.Object({
      name: Type.String(),
      offsetMs: Type.Union([Type.Number(), Type.Null()], {
        description: "Milliseconds to add to `atMs` to get the cluster's time.",
      }),
      steps: Type.Array(step),
    }),
  ),
  silent: Type.Array(Type.String(), { description: "The members that did not answer." }),
});

/** Presence, the cluster's time, its status, and the steps of an event. */
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

  api.get(
    "/trace",
    {
      schema: {
        summary: "Tell what the servers did with one event (administrators)",
        description:
          "In a cluster without accounts, only people on the gateway's own machine may ask.",
        tags: ["cluster"],
        querystring: Type.Object({
          of: Type.String({
            minLength: 1,
            description: "The `id` of an entry or of a request, or an event's name, `server/seq`.",
          }),
        }),
        response: answers(trace),
      },
    },
    (request, reply) =>
      people.serveNearby(request, reply, async (session) => {
        const { event, servers, silent } = await session.trace(request.query.of);
        return { event, servers, silent };
      }),
  );
};

export const clusterLookPath = "/cluster";

const maybe = (schema: TSchema) => Type.Union([schema, Type.Null()]);
const kinds = Type.Array(
  Type.Object({ kind: Type.String() }, { additionalProperties: true, description: "See O22." }),
);

/** Further fields describe each process; they may change between versions. */
const seen = Type.Object(
  {
    healthy: Type.Boolean(),
    problems: kinds,
    warnings: kinds,
    server: maybe(Type.String({ description: "The server that told this; null if none answers." })),
    coordinator: maybe(Type.String()),
    view: Type.Object(
      { number: Type.Integer(), members: Type.Array(Type.String()) },
      { additionalProperties: true },
    ),
    liveMembers: maybe(Type.Integer()),
    quorum: Type.Integer(),
    processes: Type.Array(
      Type.Object(
        { role: Type.String(), name: Type.String(), live: Type.Boolean() },
        { additionalProperties: true },
      ),
    ),
  },
  { additionalProperties: true },
);

/** Adds the route that tells what `tertulia status` does, also while no server answers (G48). */
export function addClusterLook(api: Api, look: () => Promise<ClusterStatus>): void {
  api.get(
    clusterLookPath,
    {
      schema: {
        summary: "Tell the state of the cluster and its problems, as servers and reference see it",
        description: "Answers also while the servers have no quorum, or none answers.",
        tags: ["cluster"],
        response: { 200: Type.Unsafe<ClusterStatus>(seen), ...problems("unavailable") },
      },
    },
    () => look(),
  );
}
