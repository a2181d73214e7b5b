import { Type } from "typebox";
import type { ChannelName } from "../../protocol/ids.ts";
import { requestId } from "../people.ts";
import { type AddRoutes, answers, entryReply, name, outcomes, pageSize } from "./route.ts";

const namesQuery = Type.Object({
  prefix: Type.Optional(Type.String({ description: "Only names that begin with this text." })),
  from: Type.Optional(Type.String({ description: "The `next` of the page before." })),
  limit: pageSize,
});
const next = Type.Optional(Type.String({ description: "The `from` of the next page, if any." }));

/** Lists of names, and channels. */
export const channelRoutes: AddRoutes = (api, people) => {
  api.get(
    "/users",
    {
      schema: {
        summary: "List the users",
        description: "With a whole name as `prefix`, the list tells whether this user exists.",
        tags: ["people"],
        querystring: namesQuery,
        response: answers(Type.Object({ users: Type.Array(name), next })),
      },
    },
    (request, reply) =>
      people.serve(request, reply, async (session) => {
        const { users, next } = await session.ask("users", request.query);
        return { users, next };
      }),
  );

  api.get(
    "/channels",
    {
      schema: {
        summary: "List the channels",
        tags: ["channels"],
        querystring: namesQuery,
        response: answers(Type.Object({ channels: Type.Array(name), next })),
      },
    },
    (request, reply) =>
      people.serve(request, reply, async (session) => {
        const { channels, next } = await session.ask("channels", request.query);
        return { channels, next };
      }),
  );

  api.post(
    "/channels",
    {
      schema: {
        summary: "Create a channel",
        tags: ["channels"],
        body: Type.Object({ channel: name }),
        response: outcomes(201, entryReply, "channel_exists", "name_invalid"),
      },
    },
    async (request, reply) => {
      const entry = await people.serve(request, reply, async (session) => {
        const data = { channel: request.body.channel as ChannelName, user: session.user };
        return (await session.ask("channel", data, requestId(request))).entry;
      });
      return reply.code(201).send({ entry });
    },
  );
};
