import { Type } from "typebox";
import { ProtocolError } from "../../protocol/errors.ts";
import { hookPath } from "../../protocol/hooks.ts";
import type { ChannelName, HookName, UserName } from "../../protocol/ids.ts";
import { requestId, userOf } from "../people.ts";
import { textOfPost } from "./hook-text.ts";
import {
  type AddRoutes,
  answers,
  entryReply,
  name,
  outcomes,
  problems,
  receipt,
  refusedBodies,
} from "./route.ts";

const hookId = Type.String({ description: "The hook's id, from which nobody finds its token." });

const hookPost = Type.Object({
  text: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  blocks: Type.Optional(Type.Unknown({ description: "Blocks, as at Slack; used without `text`." })),
  attachments: Type.Optional(
    Type.Unknown({ description: "Attachments, as at Slack; used without `text`." }),
  ),
});

const listed = Type.Object(
  {
    id: hookId,
    channel: name,
    name,
    timestamp: Type.String({ description: "When the hook was made, as ISO 8601." }),
  },
  { title: "Hook" },
);

/** The hooks of a user: addresses at which other systems write in the user's name. */
export const hookRoutes: AddRoutes = (api, people) => {
  api.get(
    "/hooks",
    {
      schema: {
        summary: "List the own hooks",
        description: "With `user`, an administrator lists the hooks of another user.",
        tags: ["hooks"],
        querystring: Type.Object({ user: Type.Optional(name) }),
        response: answers(Type.Object({ hooks: Type.Array(listed) }), "name_invalid"),
      },
    },
    (request, reply) =>
      people.serve(request, reply, async (session) => {
        const user = (request.query.user as UserName | undefined) ?? userOf(session);
        const { hooks } = await session.ask("hooks", { user });
        return { hooks: [...hooks] };
      }),
  );

  api.post(
    "/hooks",
    {
      schema: {
        summary: "Make a hook",
        description:
          "With `url` anybody can write to the channel in the user's name. No later reply has it.",
        tags: ["hooks"],
        body: Type.Object({ channel: name, name }),
        response: outcomes(
          201,
          Type.Object({
            hook: hookId,
            url: Type.String({
              description: "The hook's address, at the host to which the request was sent.",
            }),
            path: Type.String({ description: "The same at any gateway." }),
            entry: receipt,
          }),
          "channel_not_found",
          "name_invalid",
          "id_reused",
        ),
      },
    },
    async (request, reply) => {
      const made = await people.serve(request, reply, async (session) => {
        const [user, id] = [userOf(session), requestId(request)];
        const hookToken = people.hookToken(user, id);
        const channel = request.body.channel as ChannelName;
        const data = { user, channel, name: request.body.name as HookName, hookToken };
        const { hook, entry } = await session.ask("hook", data, id);
        const path = hookPath(hookToken);
        return { hook, url: `${request.protocol}://${request.host}${path}`, path, entry };
      });
      return reply.code(201).send(made);
    },
  );

  api.delete(
    "/hooks/:hook",
    {
      schema: {
        summary: "Revoke a hook",
        description: "For its owner, and for administrators.",
        tags: ["hooks"],
        params: Type.Object({ hook: hookId }),
        response: outcomes(200, entryReply, "hook_not_found"),
      },
    },
    (request, reply) =>
      people.serve(request, reply, async (session) => {
        const { entry } = await session.ask("unhook", request.params, requestId(request));
        return { entry };
      }),
  );
};

const noText = "The post must have a `text`, or `blocks` or `attachments` with a text.";

/** The form in which some systems send the message: JSON in the field `payload`, as at Slack. */
const formType = "application/x-www-form-urlencoded";

/**
 * Adds the address of hooks, outside the API's path. It takes what Slack's incoming webhooks take, so
 * that integrations made for Slack work.
 */
export const addPostRoute: AddRoutes = (api, people) => {
  api.addContentTypeParser(formType, { parseAs: "string" }, (_request, body, done) => {
    try {
      done(null, readForm(String(body)));
    } catch (error) {
      done(error as Error);
    }
  });
  api.post(
    hookPath(":token"),
    {
      schema: {
        summary: "Write by a hook",
        description:
          "The token is all that is asked: no session. The body is that of Slack's incoming " +
          `webhooks: JSON, or this JSON in the field \`payload\` of a form (\`${formType}\`). Without ` +
          "`text`, the texts of `blocks` and `attachments` are the message. Other fields are " +
          "ignored. With `Idempotency-Key`, a repeated request takes effect once.",
        tags: ["hooks"],
        security: [],
        params: Type.Object({ token: Type.String() }),
        body: hookPost,
        response: {
          200: {
            description: "The message is stored.",
            content: { "text/plain": { schema: Type.Literal("ok") } },
          } as never,
          ...refusedBodies,
          ...problems("forbidden", "hook_not_found", "channel_not_found", "id_reused"),
          ...problems("rate_limited", "unavailable"),
        },
      },
    },
    async (request, reply) => {
      const message = textOfPost(request.body);
      if (message === "") throw new ProtocolError("bad_request", noText);
      using session = people.open({}, request.ip, {});
      const data = { hookToken: request.params.token, message };
      await session.ask("post", data, requestId(request));
      return reply.type("text/plain; charset=utf-8").send("ok");
    },
  );
};

/** @throws ProtocolError `bad_request` */
function readForm(body: string): unknown {
  const payload = new URLSearchParams(body).get("payload");
  try {
    if (payload !== null) return JSON.parse(payload);
  } catch {
    // The next line tells what is wanted.
  }
  throw new ProtocolError("bad_request", "The form's field `payload` must be JSON with a `text`.");
}
