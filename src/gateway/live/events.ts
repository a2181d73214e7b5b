import type { ServerResponse } from "node:http";
import { type TSchema, Type } from "typebox";
import { ProtocolError } from "../../protocol/errors.ts";
import { isMap } from "../../protocol/fields.ts";
import { parseVector, type Vector } from "../../protocol/vector.ts";
import { type Api, answers } from "../api/route.ts";
import { type GatewayFrame, parseConversation } from "../core/frames.ts";
import { credentialsOf } from "../credentials.ts";
import type { People } from "../people.ts";
import { writePosition } from "../position.ts";
import { endOf, Following } from "./following.ts";
import type { LiveConnection, LiveConnections } from "./live-connections.ts";

/** A comment is sent this often, so that proxies do not take the stream for dead. */
export const beatMs = 15_000;
/** How long the client of an ended stream may take to read what was sent. */
const farewellMs = 2_000;
const mostConversations = 20;
const mostUnsentBytes = 1_048_576;
/** Milliseconds after which a browser connects again. */
const retryMs = 1_000;

const stream = {
  description: "Events, until the client closes the connection.",
  content: { "text/event-stream": { schema: Type.String() } },
} as unknown as TSchema;

/** Adds the route of server-sent events: messages for programs that only listen. */
export function addEventRoute(api: Api, people: People, connections: LiveConnections): void {
  api.get(
    "/events",
    {
      schema: {
        summary: "Listen to conversations (server-sent events)",
        description:
          "The events `subscribed`, `message`, `caught_up`, `gap`, `unready` and `ready` are those of " +
          "the WebSocket. " +
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
        onRefused: (error) => stream.end(error),
      });
      const following: Following = new Following(session, {
        tell: (frame) => stream.send(frame),
        deliver: (conversation, entry, place) => {
          const position = writePosition(place);
          stream.send({ type: "message", conversation, entry, position });
        },
      });
      const stream = new EventStream(reply.raw, {
        places: () => following.places,
        check: () => endOf(session),
      });
      connections.add(stream);
      reply.raw.on("close", () => {
        connections.delete(stream);
        session.close();
      });
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
          stream.fail(error);
        }
      }
      return reply;
    },
  );
}

interface EventStreamParts {
  /** Returns where the client is, for the ids of events. */
  places(): ReadonlyMap<string, Vector>;
  /** Returns why the session has ended; undefined if it has not. */
  check(): Promise<ProtocolError | undefined>;
}

/** The events that a client reads from one HTTP reply. */
export class EventStream implements LiveConnection {
  readonly #response: ServerResponse;
  readonly #parts: EventStreamParts;
  #beats: NodeJS.Timeout | undefined;

  constructor(response: ServerResponse, parts: EventStreamParts) {
    this.#response = response;
    this.#parts = parts;
    response.on("close", () => clearInterval(this.#beats));
  }

  begin(): void {
    if (this.#isOver) return;
    this.#response.writeHead(200, {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      // Nginx otherwise keeps events back until its buffer is full.
      "x-accel-buffering": "no",
    });
    this.#response.write(`retry: ${retryMs}\n\n`);
    this.#beats = setInterval(() => void this.#beat(), beatMs);
  }

  stop(): void {
    clearInterval(this.#beats);
    this.#response.end();
    // A client that does not read never gets the end.
    setTimeout(() => this.#response.destroy(), farewellMs).unref();
  }

  /** Ends the stream. A browser connects again, and then gets the error as a status. */
  end(error: ProtocolError): void {
    this.fail(error);
    this.stop();
  }

  fail({ code, message: title, retry }: ProtocolError): void {
    this.send({ type: "error", code, title, retry });
  }

  send({ type, ...data }: GatewayFrame): void {
    if (this.#isOver || !this.#response.headersSent) return;
    const id = writePlaces(this.#parts.places());
    this.#response.write(`event: ${type}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`);
    // A reader that lags behind connects again, and goes on where it has stopped.
    if (this.#response.writableLength > mostUnsentBytes) this.#response.destroy();
  }

  get #isOver(): boolean {
    return this.#response.destroyed || this.#response.writableEnded;
  }

  async #beat(): Promise<void> {
    this.#response.write(":\n\n");
    const error = await this.#parts.check();
    if (error !== undefined) this.end(error);
  }
}

function conversationsIn(text: string): readonly string[] {
  const parsed = text.split(",").map((one) => parseConversation(one, "conversations"));
  const list = [...new Set(parsed)];
  if (list.length <= mostConversations) return list;
  const sentence = `\`conversations\` may name at most ${mostConversations} #channels and @users.`;
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
