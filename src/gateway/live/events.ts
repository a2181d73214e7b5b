import type { ServerResponse } from "node:http";
import { type TSchema, Type } from "typebox";
import { ProtocolError } from "../../protocol/errors.ts";
import { isMap } from "../../protocol/fields.ts";
import { parseVector, type Vector } from "../../protocol/vector.ts";
import { type AddRoutes, answers } from "../api/route.ts";
import type { GatewayFrame } from "../core/frames.ts";
import { credentialsOf } from "../credentials.ts";
import { Following } from "./following.ts";

/** A comment is sent this often, so that proxies do not take the stream for dead. */
const beatMs = 15_000;
const mostConversations = 20;
const mostUnsentBytes = 1_048_576;
/** Milliseconds after which a browser connects again. */
const retryMs = 1_000;

const stream = {
  description: "Events, until the client closes the connection.",
  content: { "text/event-stream": { schema: Type.String() } },
} as unknown as TSchema;

/** The route of server-sent events: messages for programs that only listen. */
export const eventRoutes: AddRoutes = (api, people) => {
  api.get(
    "/events",
    {
      schema: {
        summary: "Listen to conversations (server-sent events)",
        description:
          "The events `subscribed`, `message`, `caught_up` and `gap` are those of the WebSocket. " +
          "With `Last-Event-ID` the stream goes on where another one has stopped, at any gateway.",
        tags: ["messages"],
        querystring: Type.Object({
          conversations: Type.String({ description: "Such as `#geral,@ana`." }),
          last: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000 })),
        }),
        response: answers(stream),
      },
    },
    async (request, reply) => {
      const conversations = conversationsIn(request.query.conversations);
      const places = readPlaces(request.headers["last-event-id"]);
      const session = people.open(credentialsOf(request), request.ip, {
        onRefused: () => reply.raw.end(),
      });
      const stream = new EventStream(reply.raw, () => following.places);
      const following = new Following(session, (frame) => stream.send(frame));
      reply.raw.on("close", () => session.close());
      try {
        // An error of the session is still a reply with a status of its own.
        await session.ask("channels", { limit: 1 });
      } catch (error) {
        session.close();
        throw error;
      }
      reply.hijack();
      stream.begin();
      for (const conversation of conversations) {
        const since = places.get(conversation);
        try {
          const start = { since, last: request.query.last };
          const position = await following.follow(conversation, start);
          stream.send({ type: "caught_up", conversation, position });
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error;
          const { code, message: title, retry } = error;
          stream.send({ type: "error", code, title, retry });
        }
      }
      return reply;
    },
  );
};

/** The events that a client reads from one HTTP reply. */
class EventStream {
  readonly #response: ServerResponse;
  readonly #places: () => ReadonlyMap<string, Vector>;

  /** @param places returns where the client is, for the ids of events */
  constructor(response: ServerResponse, places: () => ReadonlyMap<string, Vector>) {
    this.#response = response;
    this.#places = places;
  }

  begin(): void {
    this.#response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      // Nginx otherwise keeps events back until its buffer is full.
      "x-accel-buffering": "no",
    });
    this.#response.write(`retry: ${retryMs}\n\n`);
    const beat = setInterval(() => this.#response.write(":\n\n"), beatMs);
    this.#response.on("close", () => clearInterval(beat));
  }

  send({ type, ...data }: GatewayFrame): void {
    if (this.#response.destroyed) return;
    const id = writePlaces(this.#places());
    this.#response.write(`event: ${type}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`);
    // A reader that lags behind connects again, and goes on where it has stopped.
    if (this.#response.writableLength > mostUnsentBytes) this.#response.destroy();
  }
}

function conversationsIn(text: string): readonly string[] {
  const list = [...new Set(text.split(","))];
  if (list.length <= mostConversations && list.every((one) => /^[#@]./su.test(one))) return list;
  const sentence = `\`conversations\` must be 1 to ${mostConversations} #channels and @users.`;
  throw new ProtocolError("bad_request", sentence);
}

function writePlaces(places: ReadonlyMap<string, Vector>): string {
  return Buffer.from(JSON.stringify(Object.fromEntries(places))).toString("base64url");
}

/** @throws ProtocolError `bad_request` if the text was not written by `writePlaces` */
function readPlaces(text: string | string[] | undefined): ReadonlyMap<string, Vector> {
  if (typeof text !== "string" || text === "") return new Map();
  try {
    const places: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
    if (!isMap(places)) throw new Error("no map");
    return new Map(
      Object.entries(places).map(([name, vector]) => [name, parseVector(vector, "Last-Event-ID")]),
    );
  } catch {
    throw new ProtocolError("bad_request", "`Last-Event-ID` must be the id of an earlier event.");
  }
}
