import { Type } from "typebox";
import { parseUserName, type UserName } from "../../protocol/ids.ts";
import { requestId, userOf } from "../people.ts";
import { type AddRoutes, name, outcomes, password, slotReply } from "./route.ts";

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
        response: outcomes(201, Type.Object({ user: name }), "name_taken", "name_invalid"),
      },
    },
    async (request, reply) => {
      const { user, password, invitation } = request.body;
      await people.serve(request, reply, async (session) => {
        const data = { user: user as UserName, password, invitation };
        const id = requestId(request);
        await people.passwords.take(request.ip, () => session.ask("register", data, id));
      });
      return reply.code(201).send({ user: parseUserName(user) });
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
        response: outcomes(200, slotReply, "id_reused"),
      },
    },
    (request, reply) =>
      people.serve(request, reply, async (session) => {
        const { password, newPassword } = request.body;
        const user = userOf(session);
        const data = { user, password, newPassword };
        const id = requestId(request);
        const change = () => session.ask("password", data, id);
        return { slot: (await people.passwords.take(request.ip, change)).slot };
      }),
  );
};
