import { type Static, Type } from "typebox";
import type { Session } from "../../client/session.ts";
import type { ChannelName, UserName } from "../../protocol/ids.ts";
import type { ConversationName } from "../../protocol/topics.ts";
import { channelEntry, privateEntry } from "./messages.ts";
import { type AddRoutes, answers, name, pageSize } from "./route.ts";

const searchQuery = Type.Object({
  words: Type.String({
    description:
      'Messages must have all words. "Words in quotation marks" follow each other, and -word leaves out.',
  }),
  before: Type.Optional(Type.String({ description: "The `next` of a page: searches older ones." })),
  limit: pageSize,
});

const found = <Entry extends typeof channelEntry | typeof privateEntry>(entry: Entry) =>
  Type.Object({
    messages: Type.Array(entry, { description: "From the oldest to the newest; perhaps none." }),
    next: Type.Optional(
      Type.String({ description: "If there is more to search: the `before` of the next page." }),
    ),
  });

/** Finding messages by their words. */
export const searchRoutes: AddRoutes = (api, people) => {
  api.get(
    "/channels/:channel/search",
    {
      schema: {
        summary: "Search a channel",
        description: "The newest messages that have all words, or those before a page.",
        tags: ["messages"],
        params: Type.Object({ channel: name }),
        querystring: searchQuery,
        response: answers(found(channelEntry), "channel_not_found", "name_invalid"),
      },
    },
    (request, reply) =>
      people.serve(request, reply, (session) =>
        search(session, { channel: request.params.channel as ChannelName }, request.query),
      ),
  );

  api.get(
    "/users/:user/search",
    {
      schema: {
        summary: "Search private messages",
        description: "Of the user themselves; with `with`, only those exchanged with one user.",
        tags: ["messages"],
        params: Type.Object({ user: name }),
        querystring: Type.Intersect([searchQuery, Type.Object({ with: Type.Optional(name) })]),
        response: answers(found(privateEntry), "user_not_found", "name_invalid"),
      },
    },
    (request, reply) =>
      people.serve(request, reply, (session) =>
        search(session, { user: request.params.user as UserName }, request.query),
      ),
  );
};

async function search(
  session: Session,
  conversation: ConversationName,
  query: Static<typeof searchQuery> & { readonly with?: string },
) {
  const { words, before, limit, with: other } = query;
  const options = { before, limit, with: other as UserName | undefined };
  const { entries, next } = await session.search(conversation, words, options);
  return { messages: entries, next };
}
