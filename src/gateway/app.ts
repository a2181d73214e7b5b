import swagger from "@fastify/swagger";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import { Ajv } from "ajv";
import { type FastifyError, type FastifyReply, type FastifyRequest, fastify } from "fastify";
import type { ClusterStatus } from "../client/core/cluster-status.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { limits } from "../protocol/limits.ts";
import { accountRoutes } from "./api/accounts.ts";
import { administrationRoutes } from "./api/administration.ts";
import { channelRoutes } from "./api/channels.ts";
import { addClusterLook, clusterLookPath, clusterRoutes } from "./api/cluster.ts";
import { duelRoutes } from "./api/duel.ts";
import { addPostRoute, hookRoutes } from "./api/hooks.ts";
import { matchRoutes } from "./api/matches.ts";
import { messageRoutes, privateRoutes } from "./api/messages.ts";
import type { Api } from "./api/route.ts";
import { searchRoutes } from "./api/search.ts";
import { sessionRoutes } from "./api/session.ts";
import { shopRoutes } from "./api/shop.ts";
import { boundConnections, idleMs, requestMs, slowClients } from "./connection-bounds.ts";
import { docsPage, docsPolicy } from "./docs-page.ts";
import type { Games } from "./games.ts";
import type { LiveServer } from "./live/live-server.ts";
import type { Traffic } from "./measure.ts";
import { openapi } from "./openapi.ts";
import { addPage, assetsPath, PageFiles, pageOf } from "./page-files.ts";
import type { People } from "./people.ts";
import { problemSchema, refuseConnection, sendProblem, toProtocolError } from "./problem-reply.ts";

/** The path before all routes of the API. A change that breaks clients gets a new path. */
const apiPath = "/api/v1";

/** Besides these paths and the page's files, a gateway that cannot serve refuses every request. */
const alwaysServed = ["/livez", "/readyz", apiPath + clusterLookPath];

export interface AppParts {
  readonly people: People;
  readonly games: Games;
  readonly trustedProxies: readonly string[];
  /** Returns why the gateway can't serve; undefined if it can. */
  unready(): string | undefined;
  readonly live: LiveServer;
  /** Looks at the cluster. @throws ProtocolError if neither a server nor the reference answers */
  look(): Promise<ClusterStatus>;
  /** Called with an error that only a defect of the gateway explains. */
  onDefect(error: Error): void;
  readonly traffic: Traffic;
}

const subjects = [
  sessionRoutes,
  accountRoutes,
  channelRoutes,
  messageRoutes,
  privateRoutes,
  searchRoutes,
  clusterRoutes,
  administrationRoutes,
  shopRoutes,
  matchRoutes,
  hookRoutes,
];

/** The gateway's HTTP server with all its routes, not bound to an address yet. */
export async function makeApp(parts: AppParts) {
  const { people, games, live, look, trustedProxies, unready, onDefect, traffic } = parts;
  const sendError = (error: Error, _request: FastifyRequest, reply: FastifyReply) => {
    if (error instanceof ProtocolError) return sendProblem(reply, error);
    const known = "statusCode" in error || "validation" in error;
    if (!known) onDefect(error);
    const told = toProtocolError(error as FastifyError);
    return sendProblem(reply, told.error, told.status);
  };
  const app = fastify({
    trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false,
    bodyLimit: limits.requestBytes,
    requestTimeout: requestMs,
    keepAliveTimeout: idleMs,
    http: slowClients,
    routerOptions: { maxParamLength: 4 * limits.nameCharacters },
    // A path that can't be decoded reaches no route.
    frameworkErrors: (error, request, reply) => void sendError(error, request, reply as never),
    clientErrorHandler: refuseConnection,
    return503OnClosing: true,
    forceCloseConnections: "idle",
  }).withTypeProvider<TypeBoxTypeProvider>();
  boundConnections(app.server, trustedProxies);
  // A browser lets the page of another site send plain text. For JSON it first asks the gateway.
  app.removeContentTypeParser("text/plain");

  const page = new PageFiles();
  app.addHook("onRequest", async (request, reply) => {
    traffic.begins(reply.raw);
    void reply.header("x-content-type-options", "nosniff");
    void reply.header("cache-control", "no-store");
    // A page that is open can then say why the chat does not work, and what the cluster lacks.
    if (alwaysServed.includes(request.url) || request.url.startsWith(assetsPath)) return;
    const reason = unready();
    if (reason === undefined) return;
    const sentence = `The gateway can't serve now: ${reason}.`;
    const shown = pageOf(request.url);
    if (shown !== undefined && page.send(request, reply.code(503), shown)) return reply;
    return sendProblem(reply, new ProtocolError("unavailable", sentence));
  });
  app.addHook("onResponse", async ({ routeOptions, method }, { statusCode, elapsedTime }) => {
    const route = routeOptions.url ?? "none";
    traffic.answered({ route, method, status: statusCode, seconds: elapsedTime / 1_000 });
  });
  app.setErrorHandler(sendError);
  app.setValidatorCompiler(validators() as never);
  app.setNotFoundHandler((_request, reply) =>
    sendProblem(reply, new ProtocolError("bad_request", "There is no such route."), 404),
  );

  app.addSchema(problemSchema);
  await app.register(swagger, {
    openapi: openapi(),
    refResolver: { buildLocalReference: ({ $id }) => String($id) },
  });
  await app.register(
    async (api) => {
      for (const add of [...subjects, duelRoutes(games)]) add(api as unknown as Api, people);
      live.addRoutes(api as unknown as Api);
      addClusterLook(api as unknown as Api, look);
      api.get("/openapi.json", { schema: { hide: true } }, () => app.swagger());
    },
    { prefix: apiPath },
  );
  await app.register(async (api) => addPostRoute(api as unknown as Api, people));
  addDocs(app as unknown as Api);
  addPage(app as unknown as Api, page);
  addHealth(app as unknown as Api, unready);
  return app;
}

function addHealth(app: Api, unready: AppParts["unready"]): void {
  app.get("/livez", { schema: { hide: true } }, () => ({ live: true }));
  app.get("/readyz", { schema: { hide: true } }, (_request, reply) => {
    const reason = unready();
    if (reason === undefined) return { ready: true };
    return reply
      .code(503)
      .header("retry-after", 1)
      .send({ ready: false, reasons: [reason] });
  });
}

/**
 * Returns a function that checks one part of a request. In a query, a text that looks like a number
 * counts as a number; in a body, which is JSON, it does not.
 */
function validators() {
  const options = { strict: false } as const;
  const [texts, values] = [new Ajv({ ...options, coerceTypes: "array" }), new Ajv(options)];
  return ({ schema, httpPart }: { schema: object; httpPart?: string }) => {
    return (httpPart === "body" ? values : texts).compile(schema);
  };
}

/** Adds the description of the API as a page. */
function addDocs(app: Api): void {
  app.get(`${apiPath}/docs`, { schema: { hide: true } }, (_request, reply) =>
    reply
      .header("content-security-policy", docsPolicy)
      .type("text/html; charset=utf-8")
      .send(docsPage(app.swagger() as never)),
  );
}
