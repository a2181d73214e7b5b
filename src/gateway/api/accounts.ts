import { Type } from "typebox";
import { ProtocolError } from "../../protocol/errors.ts";
import type { UserName } from "../../protocol/ids.ts";
import { type AddRoutes, entryReply, name, replies } from "./route.ts";

const password = Type.String({ minLength: 1 });

/** Accounts and their passwords. */
export const accountRoutes: AddRoutes = (api, people) => {
  api.post(
    "/accounts",
    {
      schema: {
        summary: "Register an account",
        tags: ["accounts"],
        security: [],
        body: Type.Object({
          user: name,
          password,
          invitation: Type.Optional(Type.String({ minLength: 1 })),
        }),
        response: replies(201, Type.Object({ user: name }), "name_taken", "name_invalid", "behind"),
      },
    },
    async (request, reply) => {
      const { user, password, invitation } = request.body;
      await people.serve(request, reply, async (session) => {
        await session.register(user as UserName, password, invitation);
      });
      return reply.code(201).send({ user });
    },
  );

  api.put(
    "/accounts/me/password",
    {
      schema: {
        summary: "Change the own password",
        description: "Ends all other sessions of the user. The reply has a new token.",
        tags: ["accounts"],
        body: Type.Object({ password, newPassword: password }),
        response: replies(200, entryReply, "behind", "id_reused"),
      },
    },
    (request, reply) =>
      people.serve(request, reply, async (session) => {
        const { password, newPassword } = request.body;
        const user = session.user ?? refuseGuest();
        return { entry: await session.changePassword(user, password, newPassword) };
      }),
  );
};

function refuseGuest(): never {
  throw new ProtocolError("unauthenticated", "Log in first.", { reason: "no_session" });
}
