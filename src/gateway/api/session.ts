import { Type } from "typebox";
import { parseUserName, type UserName } from "../../protocol/ids.ts";
import { openToken, refuseOtherSite } from "../credentials.ts";
import { giveToken, requestId, setCookie, userOf } from "../people.ts";
import {
  type AddRoutes,
  answers,
  name,
  outcomes,
  password,
  problems,
  receipt,
  refusedBodies,
} from "./route.ts";

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
        response: outcomes(
          200,
          Type.Object({ user: name, token: Type.String(), entry: receipt }),
          "name_invalid",
        ),
      },
    },
    async (request, reply) => {
      // Otherwise the page of another site could log a browser in as a user of its choice.
      refuseOtherSite(request);
      const { user, password } = request.body;
      let token: string | undefined;
      using session = people.open({}, request.ip, {
        onToken: (given) => {
          token = given;
        },
      });
      const data = { user: user as UserName, password };
      const { entry } = await people.passwords.take(request.ip, () =>
        session.ask("login", data, requestId(request)),
      );
      const name = parseUserName(user);
      token ??= openToken(name);
      giveToken(request, reply, token);
      return { user: name, token, entry };
    },
  );

  api.get(
    "/session",
    {
      schema: {
        summary: "Tell who is logged in",
        tags: ["session"],
        response: answers(Type.Object({ user: name })),
      },
    },
    (request, reply) =>
      people.serve(request, reply, async (session) => {
        // A request that only a valid session may make.
        await session.ask("channels", { limit: 1 });
        return { user: userOf(session) };
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
        response: {
          204: Type.Null({ description: "The session's cookie is deleted." }),
          ...refusedBodies,
          ...problems("forbidden", "unavailable"),
        },
      },
    },
    async (request, reply) => {
      refuseOtherSite(request);
      setCookie(request, reply, "");
      return reply.code(204).send(null);
    },
  );
};
