import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { FastifyError, FastifyReply } from "fastify";
import { Type } from "typebox";
import { type ErrorCode, errorCodes, ProtocolError, refusalReasons } from "../protocol/errors.ts";

/** The HTTP status of each of the cluster's error codes. */
export const statusOf = {
  bad_request: 400,
  id_reused: 409,
  expired: 409,
  unauthenticated: 401,
  forbidden: 403,
  channel_not_found: 404,
  user_not_found: 404,
  hook_not_found: 404,
  sold_out: 409,
  too_few_coins: 409,
  card_not_owned: 409,
  trade_not_found: 404,
  seated: 409,
  term_passed: 409,
  not_in_match: 404,
  match_over: 409,
  not_started: 409,
  already_ready: 409,
  deck_wrong: 400,
  not_your_turn: 409,
  card_not_in_hand: 409,
  card_does_not_beat: 409,
  already_played: 409,
  too_few_points: 409,
  too_early: 409,
  move_unknown: 400,
  match_not_found: 404,
  name_taken: 409,
  channel_exists: 409,
  too_large: 413,
  name_invalid: 422,
  rate_limited: 429,
  unsupported: 501,
  unknown_service: 501,
  behind: 503,
  unavailable: 503,
  internal: 500,
} as const satisfies Record<ErrorCode, number>;

/** Seconds after which a client should try again if the error itself names no time. */
const shortestWaitSeconds = 1;

/** An error as RFC 9457 describes it, with the cluster's code. */
export const problemSchema = Type.Object(
  {
    type: Type.String({ description: "Always `about:blank`: `code` tells the kind." }),
    title: Type.String({ description: "The sentence for people." }),
    status: Type.Integer(),
    code: Type.Enum(Object.keys(errorCodes)),
    retry: Type.Boolean({ description: "Whether the same request may succeed later." }),
    wait: Type.Optional(Type.Number({ description: "Seconds after which it may succeed." })),
    reason: Type.Optional(Type.Enum([...refusalReasons])),
  },
  { $id: "Problem", title: "Problem" },
);

/** Answers with an error: as a problem (RFC 9457), and with `Retry-After` if a retry can help. */
export function sendProblem(reply: FastifyReply, error: ProtocolError, status?: number) {
  const { code, retry, wait, reason, message } = error;
  const code3 = status ?? statusOf[code];
  if (retry) void reply.header("retry-after", Math.ceil(wait ?? shortestWaitSeconds));
  if (code3 === 401) void reply.header("www-authenticate", "Bearer");
  return reply
    .code(code3)
    .header("content-type", "application/problem+json; charset=utf-8")
    .serializer((value: unknown) => JSON.stringify(value))
    .send({ type: "about:blank", title: message, status: code3, code, retry, wait, reason });
}

/** The library's errors for a path that reaches no route. */
const pathErrors = ["FST_ERR_BAD_URL", "FST_ERR_MAX_PARAM_LENGTH"];

/** Converts an error of the HTTP library, such as a body that is no JSON, to the cluster's code. */
export function toProtocolError(error: FastifyError): { error: ProtocolError; status?: number } {
  const { statusCode = 500, message } = error;
  switch (statusCode) {
    case 413:
      return { error: new ProtocolError("too_large", "The body is too large.") };
    case 415: {
      const sentence = "The body must be JSON, with the content type `application/json`.";
      return { error: new ProtocolError("bad_request", sentence), status: 415 };
    }
    default: {
      // The library's sentence repeats the path, which may have a hook's token.
      if (pathErrors.includes(error.code)) {
        const sentence = "The path can't be decoded, or a part of it is too long.";
        return { error: new ProtocolError("bad_request", sentence) };
      }
      if (statusCode >= 500) {
        return { error: new ProtocolError("internal", "The gateway failed; its log says why.") };
      }
      return { error: new ProtocolError("bad_request", sentenceOf(message)) };
    }
  }
}

/**
 * Answers a request that is no HTTP, is too slow, or has too many headers, and closes its connection.
 * No route has seen the request.
 */
export function refuseConnection({ code }: { readonly code?: string }, socket: Socket): void {
  if (!socket.writable) return void socket.destroy();
  const [status, title] =
    code === "HPE_HEADER_OVERFLOW"
      ? [431, "The headers are too large."]
      : code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? [408, "The request took too long to arrive."]
        : [400, "The request is no HTTP."];
  const body = JSON.stringify({
    type: "about:blank",
    title,
    status,
    code: "bad_request",
    retry: false,
  });
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n` +
      `Content-Type: application/problem+json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
}

function sentenceOf(message: string): string {
  const text = message.charAt(0).toUpperCase() + message.slice(1);
  return text.endsWith(".") ? text : `${text}.`;
}
