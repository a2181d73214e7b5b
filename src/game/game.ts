import { Connection } from "../client/connection.ts";
import { measureProcess } from "../net/measure-process.ts";
import { Membership } from "../net/membership.ts";
import { openMetricsPort } from "../net/metrics-port.ts";
import { Responder } from "../net/responder.ts";
import { advertised } from "../net/socket.ts";
import { now, steadyOriginMs } from "../platform/clock.ts";
import { openLog, RequestLog } from "../platform/log.ts";
import { randomHex } from "../platform/random.ts";
import { crash } from "../platform/run-process.ts";
import type { LamportClock } from "../protocol/lamport-clock.ts";
import type { GameName } from "../protocol/matches.ts";
import { ClockFile } from "../storage/clock-file.ts";
import { openProcessFile } from "../storage/process-file.ts";
import { ClusterSide } from "./cluster-side.ts";
import type { GameConfig } from "./config.ts";
import { Door } from "./door.ts";
import { GameLinks } from "./game-links.ts";
import { MatchChat } from "./match-chat.ts";
import { MatchStore } from "./match-store.ts";
import { measureGame } from "./measure.ts";
import type { openMqttDoor } from "./mqtt/mqtt-door.ts";
import { Players } from "./players.ts";
import { Presence } from "./presence.ts";
import { Shell } from "./shell.ts";
import { MatchSigner } from "./signer.ts";
import { MatchStepRecorder } from "./steps/match-step-recorder.ts";
import { MatchSteps } from "./steps/match-steps.ts";
import { Traces } from "./steps/traces.ts";

/**
 * Starts a game server: a core, and the sockets, files and timers around it. The disk is read before the
 * core begins, and the socket is bound before the reference tells others of it.
 */
export async function startGame(config: GameConfig) {
  const place = await openPlace(config);
  const { name, connection, log, membership } = place;
  const { clock } = connection;
  const cluster = new ClusterSide(connection, config.secret, log);
  const store = await MatchStore.open({
    folder: place.folder,
    onStored: (upTo) => shell.take({ type: "stored", upTo }),
    onFailed: crash,
  });
  const seals = membership.seals("game");
  const links = new GameLinks(seals, config.memberKey);
  const { memory, recorder } = openSteps(clock, config.steps);
  const signer = new MatchSigner(config.secret);
  const shell = new Shell({ name, signer, store, links, cluster, recorder });
  const players = new Players(connection, (user, request) => shell.ask(user, request));
  const unready = () => (shell.isListed ? undefined : "it does not know its matches yet");
  const responder = new Responder((...message) => door.take(...message), { takesSeals: true });
  const requestLog = new RequestLog(log);
  const door = new Door({
    ...{ name, responder, seals, players, log: requestLog, unready },
    traces: new Traces({ name, memory, links, connection }),
    onMessage: (from, message, sentClock) => {
      shell.take({ type: "message", from, message }, sentClock);
    },
  });
  const front = await responder.bind(config.front, membership.forMembers({ withGuests: true }));
  const mqtt =
    config.mqtt === undefined
      ? undefined
      : await openMqtt(config.mqtt, { players, log, name, chat: new MatchChat(connection) });
  const port = await openMetricsPort(config.metrics, unready);
  const { refused } = membership.selfReport;
  measureProcess(port.metrics, { role: "game", name, clock, refused, requestLogs: [requestLog] });
  measureGame(port.metrics, { core: () => shell.core, store, players });
  const presence = new Presence({
    ...{ name, self: membership.selfReport },
    address: advertised(front, config.advertiseHost),
    link: membership.referenceLink(config.reference),
    onGames: (games) => {
      links.keep(games);
      shell.take({ type: "known", games: [...games.keys()] });
    },
  });
  const { damaged } = shell.core.figures;
  if (damaged > 0) {
    const why = "Logs of matches are damaged, or signed by a secret that was dropped";
    log.error({ damaged }, `${why}: they count as lost (O67)`);
  }
  shell.start();
  responder.start();
  log.info({ event: "started", front, mqtt: mqtt?.endpoint, metrics: port.endpoint }, "Started");
  const stop = async () => {
    presence[Symbol.dispose]();
    await mqtt?.[Symbol.asyncDispose]();
    shell.stop();
    cluster.close();
    links.close();
    await responder.close();
    await store.close();
    await port[Symbol.asyncDispose]();
    await place.close();
  };
  return {
    ...{ name, front, mqtt: mqtt?.endpoint, metrics: port.endpoint },
    /** Resolves once the cluster has told which matches this server holds. */
    firstReady: shell.listed,
    [Symbol.asyncDispose]: stop,
  };
}

/** @param most the number of records to remember; with 0, nothing is recorded (O68) */
function openSteps(clock: LamportClock, most: number) {
  if (most === 0) return {};
  const memory = new MatchSteps(most);
  const recorder = new MatchStepRecorder({ memory, clock, now, originMs: steadyOriginMs });
  return { memory, recorder };
}

/** Opens what identifies the process: its name, its clock, and its connection to the cluster. */
async function openPlace({ slots, brokers, proxies, secret, keys, logLevel }: GameConfig) {
  const file = await openProcessFile(slots, "game", () => `game_${randomHex(4)}`);
  const name = file.name as GameName;
  const connection = new Connection({ brokers, proxies });
  const { clock } = connection;
  const log = openLog({
    level: logLevel,
    role: "game",
    name: () => name,
    clock: () => clock.value,
  });
  const clockFile = await ClockFile.open(file.folder, clock, crash);
  const membership = new Membership({ secret, keys, self: () => name, clock, log });
  const close = async () => {
    connection.close();
    await clockFile[Symbol.asyncDispose]();
    await file[Symbol.asyncDispose]();
    log.info("Stopped");
  };
  return { name, folder: file.folder, connection, log, membership, close };
}

/** Loads the MQTT library only if players may come by MQTT. */
async function openMqtt(
  endpoint: string,
  parts: Pick<Parameters<typeof openMqttDoor>[0], "players" | "log" | "name" | "chat">,
) {
  const door = await import("./mqtt/mqtt-door.ts");
  return await door.openMqttDoor({ endpoint, ...parts });
}
