import type { IncomingMessage, ServerResponse } from "node:http";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from "fastify";
import { type TSchema, Type } from "typebox";
import { limits } from "../../protocol/limits.ts";
import type { People } from "../people.ts";
import { statusOf } from "../problem-reply.ts";

/** The HTTP server, whose handlers get values of the types that their schemas describe. */
export type Api = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** Adds the routes of one subject. */
export type AddRoutes = (api: Api, people: People) => void;

type ProblemCode = keyof typeof statusOf;
type Replies = Record<number, TSchema>;

/** Codes of every route that asks the cluster. */
const asking: readonly ProblemCode[] = [
  "bad_request",
  "unauthenticated",
  "forbidden",
  "rate_limited",
  "unavailable",
];

/** The schemas of the replies of a route that takes no body. @param codes further codes of errors */
export function answers(reply: TSchema, ...codes: readonly ProblemCode[]): Replies {
  return { 200: reply, ...problems(...asking, ...codes) };
}

/** The schemas of the replies of a route that takes a body. @param codes further codes of errors */
export function outcomes(
  status: 200 | 201,
  reply: TSchema,
  ...codes: readonly ProblemCode[]
): Replies {
  return { [status]: reply, ...refusedBodies, ...problems(...asking, ...codes) };
}

/** The schemas of the problems with these codes, by status. */
export function problems(...codes: readonly ProblemCode[]): Replies {
  const statuses = new Set(codes.map((code) => statusOf[code]));
  return Object.fromEntries(
    [...statuses].map((status) => [
      status,
      problem([...new Set(codes)].filter((code) => statusOf[code] === status)),
    ]),
  );
}

function problem(codes: readonly string[]): TSchema {
  return {
    description: `A problem (RFC 9457) with the code ${codes.join(" or ")}.`,
    content: { "application/problem+json": { schema: { $ref: "Problem#" } } },
  } as unknown as TSchema;
}

/** The errors of every route that takes a body: the body is too large, or is not JSON. */
export const refusedBodies: Replies = {
  ...problems("bad_request", "too_large"),
  415: problem(["bad_request"]),
};

// The servers alone judge names, lengths and rights. So a schema says only which JSON is wanted.
export const name = Type.String({ minLength: 1, description: "A name, as the servers allow it." });
export const password = Type.String({ minLength: 1 });
export const position = Type.String({ description: "An opaque position from an earlier reply." });

export const receipt = Type.Object(
  {
    id: Type.String(),
    server: Type.String(),
    seq: Type.Integer(),
    clock: Type.Integer(),
    timestamp: Type.String(),
    durable: Type.Array(Type.String(), { description: "The servers with the event on disk." }),
  },
  { title: "Receipt", description: "Names the event of a write." },
);

export const entryReply = Type.Object({ entry: receipt });

export const slotReply = Type.Object({
  slot: Type.Optional(
    Type.Integer({ minimum: 0, description: "Where the decision stands in the log of decisions." }),
  ),
});

export const pageSize = Type.Optional(
  Type.Integer({ minimum: 1, maximum: limits.historyEntries, description: "Entries of a page." }),
);
