import type { IncomingMessage, ServerResponse } from "node:http";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from "fastify";
import { type TSchema, Type } from "typebox";
import { limits } from "../../protocol/limits.ts";
import type { People } from "../people.ts";
import { problemSchema, statusOf } from "../problem-reply.ts";

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

/** Codes that every route may answer with. */
const always: readonly ProblemCode[] = ["bad_request", "too_large", "unavailable", "internal"];
/** Codes of every route that needs a session. */
const ofSessions: readonly ProblemCode[] = ["unauthenticated", "forbidden", "rate_limited"];

/**
 * The schemas of a route's replies: the successful one, and a problem for each status of its codes.
 * @param codes the codes of this route, in addition to those of every route
 */
export function replies(
  status: 200 | 201 | 204,
  reply: TSchema,
  ...codes: readonly ProblemCode[]
): Record<number, TSchema> {
  const problems = [...always, ...ofSessions, ...codes].map((code) => statusOf[code]);
  const all = problems.map((problem) => [problem, problemReply]);
  return { ...Object.fromEntries(all), [status]: reply };
}

const problemReply = {
  description: "A problem (RFC 9457).",
  content: { "application/problem+json": { schema: problemSchema } },
} as unknown as TSchema;

// The servers alone judge names, lengths and rights. So a schema says only which JSON is wanted.
export const name = Type.String({ minLength: 1, description: "A name, as the servers allow it." });
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

export const pageSize = Type.Optional(
  Type.Integer({ minimum: 1, maximum: limits.historyEntries, description: "Entries of a page." }),
);
