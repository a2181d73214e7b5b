import type { FastifyRequest } from "fastify";
import { Type } from "typebox";
import type { ChannelName, UserName } from "../../protocol/ids.ts";
import { requestId } from "../people.ts";
import { type AddRoutes, entryReply, name, outcomes, password, slotReply } from "./route.ts";

/** What administrators change. */
export const administrationRoutes: AddRoutes = (api, people) => {
  api.patch(
    "/accounts/:user",
    {
      schema: {
        summary: "Change an account (administrators)",
        description: "Exactly one of the fields.",
        tags: ["administration"],
        params: Type.Object({ user: name }),
        body: Type.Union([
          Type.Object({ locked: Type.Boolean() }, { additionalProperties: false }),
          Type.Object({ administrator: Type.Boolean() }, { additionalProperties: false }),
          Type.Object({ newPassword: password }, { additionalProperties: false }),
        ]),
        response: outcomes(200, slotReply, "user_not_found", "name_invalid", "id_reused"),
      },
    },
    (request, reply) =>
      people.serve(request, reply, async (session) => {
        const data = { user: request.params.user as UserName, ...request.body };
        const { slot } = await session.ask("account", data, asOfNow(request));
        return { slot };
      }),
  );

  api.put(
    "/registration",
    {
      schema: {
        summary: "Set who may register (administrators)",
        tags: ["administration"],
        body: Type.Object({
          mode: Type.Enum(["open", "closed", "invitation"]),
          invitation: Type.Optional(Type.String({ minLength: 1 })),
        }),
        response: outcomes(200, slotReply, "id_reused"),
      },
    },
    (request, reply) =>
      people.serve(request, reply, async (session) => {
        const { slot } = await session.ask("registration", request.body, asOfNow(request));
        return { slot };
      }),
  );

  api.patch(
    "/channels/:channel",
    {
      schema: {
        summary: "Remove or restore a channel (administrators)",
        tags: ["administration"],
        params: Type.Object({ channel: name }),
        body: Type.Object({ removed: Type.Boolean() }),
        response: outcomes(200, entryReply, "channel_not_found", "name_invalid", "id_reused"),
      },
    },
    (request, reply) =>
      people.serve(request, reply, async (session) => {
        const { removed } = request.body;
        const data = { channel: request.params.channel as ChannelName, removed };
        const { entry } = await session.ask("removal", data, asOfNow(request));
        return { entry };
      }),
  );
};

/** Administrators' requests are judged by the state as of now, not by what a lagging server has (D8). */
function asOfNow(request: FastifyRequest) {
  return { ...requestId(request), consistency: "now" } as const;
}
