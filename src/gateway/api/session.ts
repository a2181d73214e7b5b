import { Type } from "typebox";
import type { UserName } from "../../protocol/ids.ts";
import { credentialsOf, openToken } from "../credentials.ts";
import { giveToken, setCookie } from "../people.ts";
import { type AddRoutes, name, receipt, replies } from "./route.ts";

const password = Type.String({ minLength: 1 });

/** Log-in and log-out. */
export const sessionRoutes: AddRoutes = (api, people) => {
  api.post(
    "/session",
    {
      schema: {
        summary: "Log in",
        description:
          "The token is good at every gateway. A browser gets it as a cookie too, which its " +
          "scripts can't read.",
        tags: ["session"],
        security: [],
        body: Type.Object({ user: name, password: Type.Optional(password) }),
        response: replies(
          200,
          Type.Object({ user: name, token: Type.String(), entry: receipt }),
          "name_invalid",
        ),
      },
    },
    async (request, reply) => {
      const { user, password } = request.body;
      let token: string | undefined;
      using session = people.open({}, request.ip, {
        onToken: (given) => {
          token = given;
        },
      });
      const entry = await session.login(user as UserName, password);
      // The name as the servers read it, which normalise names.
      token ??= openToken(session.user ?? (user as UserName));
      giveToken(request, reply, token);
      return { user: session.user ?? user, token, entry };
    },
  );

  api.get(
    "/session",
    {
      schema: {
        summary: "Tell who is logged in",
        tags: ["session"],
        response: replies(200, Type.Object({ user: name })),
      },
    },
    (request, reply) =>
      people.serve(request, reply, async (session) => {
        // A request that only a valid session may make.
        await session.ask("channels", { limit: 1 });
        return { user: session.user ?? "" };
      }),
  );

  api.delete(
    "/session",
    {
      schema: {
        summary: "Log out",
        description:
          "Deletes the browser's cookie. A token stays valid until it expires, because servers " +
          "keep no list of sessions; a password change ends all of them.",
        tags: ["session"],
        response: replies(204, Type.Null()),
      },
    },
    async (request, reply) => {
      credentialsOf(request);
      setCookie(request, reply, "");
      return reply.code(204).send(null);
    },
  );
};
