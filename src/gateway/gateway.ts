import type { Server } from "node:http";
import { Connection, type ConnectionOptions } from "../client/connection.ts";
import { listen } from "../net/listen.ts";
import { measureProcess } from "../net/measure-process.ts";
import { openMetricsPort } from "../net/metrics-port.ts";
import { ReferenceLink, reportPresence } from "../net/reference-link.ts";
import { ReferenceWatch } from "../net/reference-watch.ts";
import { openLog } from "../platform/log.ts";
import { randomHex } from "../platform/random.ts";
import { openProcessFile } from "../storage/process-file.ts";
import { makeApp } from "./app.ts";
import { ClusterLook } from "./cluster-look.ts";
import type { GatewayConfig } from "./config.ts";
import { GameServers } from "./games.ts";
import { LiveServer } from "./live/live-server.ts";
import { Traffic } from "./measure.ts";
import { People } from "./people.ts";
import { Readiness } from "./readiness.ts";

/**
 * Starts a gateway. It keeps nothing but its name and its clock, so that clients can go on at any
 * other gateway.
 * @param more the milliseconds between two pings of a WebSocket, if not the usual ones
 */
export async function startGateway(config: GatewayConfig, more: { readonly pingMs?: number } = {}) {
  const file = await openProcessFile(config.slots, "gateway", () => `gateway_${randomHex(4)}`);
  const connect = connector(config, file.savedClock);
  const connection = connect();
  const log = openLog({
    level: config.logLevel,
    role: "gateway",
    name: () => file.name,
    clock: () => connection.clock.value,
  });
  const people = new People(connection, config.key);
  const onDefect = (error: unknown) => log.error(error);
  const games = new GameServers(config.games);
  const live = new LiveServer({ people, games, onDefect, ...more });
  const readiness = new Readiness(connect, (reason) => {
    const isReady = reason === undefined;
    log[isReady ? "info" : "warn"](isReady ? "Ready" : `Not ready: ${reason}`);
    live.connections.tell(isReady ? { type: "ready" } : { type: "unready", reason });
  });
  const unready = () => readiness.reason;
  const metrics = await openMetricsPort(config.metrics, unready);
  const traffic = new Traffic(metrics.metrics, {
    isReady: () => unready() === undefined,
    closes: live.closes,
    liveConnections: () => live.connections.size,
    openRequests: () => connection.open,
  });
  const { clock } = connection;
  measureProcess(metrics.metrics, { role: "gateway", name: file.name, clock, refused });
  const link = new ReferenceLink(config.reference, clock, {
    watch: new ReferenceWatch(config.reference, log),
  });
  const cluster = new ClusterLook({ link, config, status: () => readiness.status() });
  const { trustedProxies } = config;
  const parts = { people, games, live, trustedProxies, unready, onDefect, traffic };
  const app = await makeApp({ ...parts, look: () => cluster.look() });
  await app.ready();
  live.attach(app.server, app.routing);
  const http = await listen(app.server, config.http);
  const presence = reportPresence(link, { name: file.name, role: "gateway" });
  log.info({ http, metrics: metrics.endpoint, event: "started" }, "Started");
  return {
    name: file.name,
    /** The bound endpoint, as `tcp://host:port`. */
    http,
    metrics: metrics.endpoint,
    firstReady: readiness.firstReady,
    live: live.connections,
    [Symbol.asyncDispose]: async () => {
      readiness.drain();
      presence[Symbol.dispose]();
      link.close();
      games[Symbol.dispose]();
      await live.connections.drain();
      await app.close();
      await closed(app.server);
      await metrics[Symbol.asyncDispose]();
      readiness[Symbol.dispose]();
      connection.close();
      await file.save(clock);
      await file[Symbol.asyncDispose]();
      log.info("Stopped");
    },
  };
}

/** Returns a function that opens a connection, whose requests fail after a time in milliseconds. */
function connector(config: GatewayConfig, clock: ConnectionOptions["clock"]) {
  const { brokers, proxies, key: gatewayKey } = config;
  return (deadlineMs?: number) =>
    new Connection({ brokers, proxies, clock, gatewayKey, deadlineMs });
}

/** Accepts no more connections, and resolves when the open requests are answered. */
function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}

/** A gateway is no member, so it gets no messages whose seals could be wrong. */
const refused = { forged: 0, stale: 0 };
