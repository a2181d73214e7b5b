import { measureProcess } from "../../net/measure-process.ts";
import { openMetricsPort } from "../../net/metrics-port.ts";
import { Responder } from "../../net/responder.ts";
import { advertised } from "../../net/socket.ts";
import { now } from "../../platform/clock.ts";
import { digest } from "../../platform/digest.ts";
import type { Log } from "../../platform/log.ts";
import { PasswordThread } from "../../platform/password-thread.ts";
import { randomHex } from "../../platform/random.ts";
import { announceWaiting } from "../../platform/run-process.ts";
import { ownVersion } from "../../platform/version.ts";
import { PeerMessageError } from "../../protocol/errors.ts";
import type { Chain } from "../../protocol/ids.ts";
import { parsePeerRequest } from "../../protocol/parse-peer.ts";
import { Bus } from "../bus.ts";
import { ClientWire } from "../client-wire.ts";
import type { EngineConfig } from "../config.ts";
import { Presence } from "../core/chat/presence.ts";
import type { Effect } from "../core/effects.ts";
import { Flood } from "../core/serving/flood.ts";
import { measureServing, replyRecorder } from "../measure.ts";
import { healthBytes, healthReply } from "../peer-wire.ts";
import type { Foundation, Server } from "../real-surroundings.ts";
import { TopicKeys } from "../topic-keys.ts";
import { ClusterView } from "./cluster-view.ts";
import { EngineCore } from "./engine-core.ts";
import { engineServices, engineServiceTable } from "./engine-services.ts";
import { Housekeeping, notYet } from "./housekeeping.ts";
import { openPostgres } from "./postgres/postgres-engine.ts";
import { OptionalRedis } from "./redis/optional-redis.ts";

/** Starts a server that keeps no state of its own: all that it knows is in the engine. */
export async function openEngineServer(
  foundation: Foundation,
  engineConfig: EngineConfig,
): Promise<Server> {
  const { config, clock, membership, name, log, link, requestLogs } = foundation;
  const { auth, secret, brokers, flood } = config;
  let unready = (): string | undefined => notYet;
  const { port, answered } = await openMetrics(foundation, () => unready());
  const { responder, address } = await openHealth(foundation, () => unready());
  const engine = await openPostgres(engineConfig, log, (why) => {
    log.warn({ event: "engineAwaited" }, `Waits for its database: ${why}`);
    announceWaiting(why);
  });
  const passwords = new PasswordThread();
  const topicKeys = new TopicKeys(secret);
  const presence = new Presence(name);
  const self = { version: ownVersion(), ...membership.selfReport };
  const view: ClusterView = new ClusterView({
    name,
    self,
    disbelievedClocks: () => core.serving.disbelievedClocks,
  });
  const correctedMs = () => now().wallMs + view.offsetMs;
  const redis =
    config.redis &&
    new OptionalRedis({
      ...{ config: config.redis, foundation, engineConfig, engine, presence, correctedMs },
      isServing: () => core.whyNotServing === undefined,
      onLost: () => house.publishLeft(),
    });
  const core: EngineCore = new EngineCore({
    engine,
    reservations: redis?.reservations,
    services: {
      ...{ name, clock, digest, auth, presence, correctedMs },
      topicKeys: topicKeys.sources,
      chance: randomHex(16) as Chain,
      status: () => view.status(),
    },
    flood: new Flood(flood, auth),
    now,
    perform: (effect) => perform(effect),
  });
  unready = () => core.whyNotServing;
  measureServing(port.metrics, () => core.figures(view.offsetMs, now()));
  redis?.measure(port.metrics);
  const clients = new ClientWire({
    ...{ auth, secret, brokers, parsers: engineServices, log: requestLogs.clients },
    onRequests: (requests) => core.take(requests),
    onAnswered: (replies, seconds) => {
      house.rate.add(replies.length);
      answered(replies, seconds);
    },
  });
  const bus = openBus(foundation, { core, presence, topicKeys, correctedMs });
  const perform = performer({ core, clients, bus, passwords, log });
  const { promise: firstServing, resolve: onServing } = withResolver();
  const house = new Housekeeping({
    ...{ engine, core, clients, bus, presence, view, clock, link, name, address, self, log },
    ...{ keptPresence: redis?.keptPresence, onServing },
  });
  clients.start();
  house.start();
  redis?.start();
  log.info({ event: "started", address, metrics: port.endpoint }, "Started, with an engine");
  const stop = async () => {
    link.expectSilence();
    await house.stop();
    await redis?.[Symbol.asyncDispose]();
    for (const one of [clients, bus, responder, passwords]) await one.close();
    await close({ ...foundation, engine, port });
  };
  return { name, address, metrics: port.endpoint, firstServing, [Symbol.asyncDispose]: stop };
}

interface ToClose extends Pick<Foundation, "link" | "clockFile" | "slot" | "log"> {
  readonly engine: AsyncDisposable;
  readonly port: AsyncDisposable;
}

/** Closes what was needed until all requests had been answered. */
async function close({ link, engine, clockFile, slot, port, log }: ToClose): Promise<void> {
  link.close();
  await engine[Symbol.asyncDispose]();
  await clockFile[Symbol.asyncDispose]();
  slot[Symbol.dispose]();
  await port[Symbol.asyncDispose]();
  log.info("Stopped");
}

interface BusParts {
  readonly core: EngineCore;
  readonly presence: Presence;
  readonly topicKeys: TopicKeys;
  correctedMs(): number;
}

function openBus({ config, membership, requestLogs }: Foundation, parts: BusParts): Bus {
  const { auth, proxies, proxiesIn } = config;
  const { core, presence, topicKeys, correctedMs } = parts;
  return new Bus({
    ...{ auth, proxies, proxiesIn, topicKeys, correctedMs },
    seals: membership.seals("replication"),
    // Servers with an engine tell each other nothing but which users are present.
    onReplication: (message) => {
      if (message.type !== "presence") return;
      presence.learn(message.server, message.heard, now().steadyMs);
    },
    onSubscription: (topic, active) => core.outlet.subscribe(topic, active),
    onDropped: (error) => {
      if (!(error instanceof PeerMessageError)) throw error;
      requestLogs.peers.write("warn", `A peer's message was dropped: ${error.message}`);
    },
  });
}

/** Binds the link on which other servers would ask; here it only answers how the server is. */
async function openHealth(
  { config, clock, membership, name }: Foundation,
  unready: () => string | undefined,
) {
  const responder = new Responder((envelope, payload) => {
    if (isHealth(payload)) responder.reply(envelope, healthReply({ clock, name, unready }));
  });
  const bound = await responder.bind(config.bind, membership.forMembers());
  responder.start();
  return { responder, address: advertised(bound, config.advertiseHost) };
}

async function openMetrics(
  { config, clock, membership, name, requestLogs }: Foundation,
  unready: () => string | undefined,
) {
  const port = await openMetricsPort(config.metrics, unready);
  const self = { version: ownVersion(), ...membership.selfReport };
  const logs = Object.values(requestLogs);
  measureProcess(port.metrics, { ...self, role: "server", name, clock, requestLogs: logs });
  const isService = (service: string) => Object.hasOwn(engineServiceTable, service);
  const isWrite = (service: string) =>
    isService(service) && engineServiceTable[service]?.sender !== undefined;
  return { port, answered: replyRecorder(port.metrics, { isService, isWrite }) };
}

interface Performers {
  readonly core: EngineCore;
  readonly clients: ClientWire;
  readonly bus: Bus;
  readonly passwords: PasswordThread;
  readonly log: Log;
}

/** Returns what performs the effects of requests. */
function performer({ core, clients, bus, passwords, log }: Performers): (effect: Effect) => void {
  return (effect) => {
    switch (effect.type) {
      case "reply":
        return clients.reply(effect);
      case "publish":
        return bus.publish(effect);
      case "password": {
        const { number, ...work } = effect;
        passwords.work(work).then(
          (result) => core.passwordDone(number, result),
          (error: Error) => {
            log.error(`A password could not be worked on: ${error.message}`);
            core.passwordDone(number, undefined);
          },
        );
        return;
      }
      default:
        throw new Error(`a server with an engine does not know the effect ${effect.type}`);
    }
  };
}

/** Anybody may ask for the health; other servers ask nothing of a server with an engine. */
function isHealth(payload: Buffer): boolean {
  if (payload.length > healthBytes) return false;
  try {
    return parsePeerRequest(payload).service === "health";
  } catch (error) {
    if (error instanceof PeerMessageError) return false;
    throw error;
  }
}

function withResolver() {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
