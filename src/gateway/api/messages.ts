import { type Static, Type } from "typebox";
import type { Session } from "../../client/session.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { ChannelName, UserName } from "../../protocol/ids.ts";
import type { ConversationName } from "../../protocol/topics.ts";
import { requestId, userOf } from "../people.ts";
import { readPosition, writePosition } from "../position.ts";
import {
  type AddRoutes,
  answers,
  entryReply,
  name,
  outcomes,
  pageSize,
  position,
} from "./route.ts";

const placed = {
  message: Type.String(),
  timestamp: Type.String({ description: "The cluster's time, as ISO 8601." }),
  clock: Type.Integer({ description: "The message's Lamport clock." }),
  server: Type.String({ description: "The server that made the message's event." }),
  seq: Type.Integer({ description: "The number of the event at its server." }),
  id: Type.String(),
};
const hook = Type.Optional(
  Type.String({ description: "The hook that wrote the message in the user's name." }),
);
export const channelEntry = Type.Object({ channel: name, user: name, hook, ...placed });
export const privateEntry = Type.Object({ src: name, dst: name, ...placed });

const pageQuery = Type.Object({
  before: Type.Optional(Type.String({ description: "The `next` of a page: asks for older ones." })),
  since: Type.Optional(position),
  limit: pageSize,
});

const page = <Entry extends typeof channelEntry | typeof privateEntry>(entry: Entry) =>
  Type.Object({
    messages: Type.Array(entry, { description: "From the oldest to the newest." }),
    next: Type.Optional(
      Type.String({ description: "If there are more: the `before` of the next older page." }),
    ),
    more: Type.Optional(
      Type.Boolean({ description: "With `since`: whether there are more after `position`." }),
    ),
    position: Type.String({ description: "The `since` that asks for what came after this page." }),
    complete: Type.Optional(
      Type.Boolean({
        description: "With `since`: false if the servers no longer keep some of the messages.",
      }),
    ),
  });

const channelPath = Type.Object({ channel: name });
const userPath = Type.Object({ user: name });
const message = Type.Object({ message: Type.String({ minLength: 1 }) });

/** The histories of channels, and writing to them. */
export const messageRoutes: AddRoutes = (api, people) => {
  api.get(
    "/channels/:channel/messages",
    {
      schema: {
        summary: "Read a channel",
        description: "The newest messages, those before a page, or those after a position.",
        tags: ["messages"],
        params: channelPath,
        querystring: pageQuery,
        response: answers(page(channelEntry), "channel_not_found", "name_invalid"),
      },
    },
    (request, reply) =>
      people.serve(request, reply, (session) =>
        read(session, { channel: request.params.channel as ChannelName }, request.query),
      ),
  );

  api.post(
    "/channels/:channel/messages",
    {
      schema: {
        summary: "Write to a channel",
        description: "With `Idempotency-Key`, a repeated request takes effect once.",
        tags: ["messages"],
        params: channelPath,
        body: message,
        response: outcomes(201, entryReply, "channel_not_found", "name_invalid", "id_reused"),
      },
    },
    async (request, reply) => {
      const entry = await people.serve(request, reply, (session) => {
        const channel = request.params.channel as ChannelName;
        userOf(session);
        return session.publish(channel, request.body.message, requestId(request));
      });
      return reply.code(201).send({ entry });
    },
  );
};

/** The histories of users, and private messages. */
export const privateRoutes: AddRoutes = (api, people) => {
  api.get(
    "/users/:user/messages",
    {
      schema: {
        summary: "Read private messages",
        description: "Of the user themselves; with `with`, only those exchanged with one user.",
        tags: ["messages"],
        params: userPath,
        querystring: Type.Intersect([pageQuery, Type.Object({ with: Type.Optional(name) })]),
        response: answers(page(privateEntry), "user_not_found", "name_invalid"),
      },
    },
    (request, reply) =>
      people.serve(request, reply, (session) =>
        read(session, { user: request.params.user as UserName }, request.query),
      ),
  );

  api.post(
    "/users/:user/messages",
    {
      schema: {
        summary: "Write a private message",
        description: "With `Idempotency-Key`, a repeated request takes effect once.",
        tags: ["messages"],
        params: userPath,
        body: message,
        response: outcomes(201, entryReply, "user_not_found", "name_invalid", "id_reused"),
      },
    },
    async (request, reply) => {
      const entry = await people.serve(request, reply, (session) => {
        const user = request.params.user as UserName;
        userOf(session);
        return session.message(user, request.body.message, requestId(request));
      });
      return reply.code(201).send({ entry });
    },
  );
};

async function read(
  session: Session,
  conversation: ConversationName,
  { since, before, limit, with: other }: Static<typeof pageQuery> & { readonly with?: string },
) {
  if (since !== undefined && before !== undefined) {
    throw new ProtocolError("bad_request", "Give `since` or `before`, not both.");
  }
  const { entries, next, seen, complete } = await session.history(conversation, {
    since: since === undefined ? undefined : readPosition(since, "since"),
    before,
    limit,
    with: other as UserName | undefined,
  });
  const place = { messages: entries, position: writePosition(seen) };
  return since === undefined
    ? { ...place, next }
    : { ...place, more: next !== undefined, complete };
}
