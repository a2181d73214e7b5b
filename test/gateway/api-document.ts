import { createSecretKey } from "node:crypto";
import { Connection } from "../../src/client/connection.ts";
import { makeApp } from "../../src/gateway/app.ts";
import { LiveServer } from "../../src/gateway/live/live-server.ts";
import { Traffic } from "../../src/gateway/measure.ts";
import { People } from "../../src/gateway/people.ts";
import { noMetrics } from "../../src/platform/metrics.ts";

/** Returns the OpenAPI document of a gateway that serves nobody, as the text of `docs/openapi.json`. */
export async function apiDocument(): Promise<string> {
  using connection = new Connection({ brokers: ["tcp://127.0.0.1:9"], proxies: [] });
  const people = new People(connection, createSecretKey(Buffer.alloc(32)));
  const onDefect = (error: unknown) => {
    throw error;
  };
  const games = {
    player: () => {
      throw new Error("this gateway knows no game servers");
    },
  };
  const live = new LiveServer({ people, games, onDefect });
  const app = await makeApp({
    people,
    games,
    live,
    look: () => Promise.reject(new Error("this gateway looks at no cluster")),
    trustedProxies: [],
    unready: () => undefined,
    onDefect,
    traffic: new Traffic(noMetrics, {
      isReady: () => true,
      closes: live.closes,
      liveConnections: () => 0,
      openRequests: () => 0,
    }),
  });
  await app.ready();
  const document = app.swagger();
  await app.close();
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
