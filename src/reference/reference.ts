import { join } from "node:path";
import type { Envelope } from "../net/envelope.ts";
import { type MeasuredProcess, measureProcess } from "../net/measure-process.ts";
import { Membership } from "../net/membership.ts";
import { openMetricsPort } from "../net/metrics-port.ts";
import { referenceName } from "../net/reference-link.ts";
import { Responder } from "../net/responder.ts";
import type { Question } from "../net/seal.ts";
import { advertised } from "../net/socket.ts";
import { now } from "../platform/clock.ts";
import { keyFileText } from "../platform/curve.ts";
import { makeFolder, ownerOnly } from "../platform/folder.ts";
import { gatewayKeyText } from "../platform/gateway-key.ts";
import { processId } from "../platform/host.ts";
import { openLog, RequestLog } from "../platform/log.ts";
import type { Metrics } from "../platform/metrics.ts";
import { crash, type Running } from "../platform/run-process.ts";
import { ownVersion } from "../platform/version.ts";
import { encode, formatOf } from "../protocol/codec.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { isMap } from "../protocol/fields.ts";
import { LamportClock, parseClock } from "../protocol/lamport-clock.ts";
import { durations } from "../protocol/limits.ts";
import { decodeReferenceRequest, parseReferenceRequest } from "../protocol/parse-reference.ts";
import { type ReferenceRequest, roles } from "../protocol/reference-messages.ts";
import { isoTime } from "../protocol/time.ts";
import { parseView } from "../protocol/view.ts";
import { ClockFile } from "../storage/clock-file.ts";
import { readJson, writeAtomically, writeJson } from "../storage/json-file.ts";
import { lockFolderOrFail } from "../storage/slot-lock.ts";
import type { ReferenceConfig } from "./config.ts";
import { type Answer, handleRequest } from "./core/handle-request.ts";
import { Registry, type Saved } from "./core/registry.ts";
import { SharedSave } from "./shared-save.ts";

export interface Reference extends Running {
  readonly endpoint: string;
  /** The endpoint of the reference's metrics, if it has one. */
  readonly metrics: string | undefined;
}

/**
 * Locks the folder, reads the saved state, and starts the clock above every value that this
 * reference has ever sent.
 */
async function open(config: ReferenceConfig) {
  const { secret, keys } = config;
  const slot = lockFolderOrFail(config.folder);
  const path = join(config.folder, "reference.json");
  const saved = await readJson(path, parseSaved);
  const clock = new LamportClock(saved?.clock);
  const clockFile = await ClockFile.open(config.folder, clock, crash);
  const log = openLog({
    level: config.logLevel,
    role: "reference",
    name: () => referenceName,
    clock: () => clock.value,
  });
  const membership = new Membership({ secret, keys, self: () => referenceName, clock, log });
  // A process may look for these files as soon as the reference has answered the process. So the
  // files are written before the reference answers.
  makeFolder(config.publicFolder);
  await writeAtomically(join(config.publicFolder, "server.key"), keyFileText(config.keys));
  makeFolder(config.gatewayFolder);
  await writeAtomically(join(config.gatewayFolder, "key"), gatewayKeyText(secret), ownerOnly);
  const close = async () => {
    await clockFile[Symbol.asyncDispose]();
    slot[Symbol.dispose]();
  };
  return { path, saved, clock, log, membership, close };
}

/**
 * Starts the reference. The reference answers requests in order. It sends an answer only when all
 * changes that the answer shows are on disk.
 */
export async function startReference(config: ReferenceConfig): Promise<Reference> {
  const { path, saved, clock, log, membership, close } = await open(config);
  const seals = membership.seals("reference");
  const registry = new Registry(saved, now().steadyMs);
  const requestLog = new RequestLog(log);
  let viewLogged = registry.view.number;
  const save = () => writeJson(path, { clock: clock.value, ...registry.saved });

  async function saveChanges(): Promise<void> {
    if (!registry.takeChanged()) return;
    try {
      await save();
    } catch (error) {
      crash(`${path} can't be written (${(error as Error).message}).`);
    }
    const { view } = registry;
    // Any request may create a rank, so log lines about ranks are limited. Views change seldom.
    if (view.number === viewLogged) requestLog.write("info", "Saved ranks", { view });
    else log.info({ view }, "Saved ranks and view");
    viewLogged = view.number;
  }

  const saving = new SharedSave(saveChanges);

  function answer(to: Envelope, payload: Buffer, member?: Question): void {
    const format = formatOf(payload);
    const { service, answer } = respond({ registry, clock, requestLog }, payload, member?.sender);
    saving.afterwards(() => {
      const data = { ...answer, clock: clock.tick(), timestamp: isoTime(now().wallMs) };
      reply(to, encode({ service, data }, format), member);
    });
  }

  const reply = (to: Envelope, payload: Uint8Array, member: Question | undefined) =>
    responder.reply(to, payload, member && seals.sealAnswer(member, payload));

  /**
   * Handles a request. A request without a seal comes from a guest. A request with an invalid seal
   * gets no answer.
   */
  function take(to: Envelope, payload: Buffer, seal: Buffer | undefined): void {
    if (seal === undefined) return answer(to, payload);
    const question = seals.takeQuestion(payload, seal);
    if (question?.isNew) answer(to, payload, question);
    else if (question !== undefined) reply(to, Buffer.alloc(0), question);
  }

  const responder = new Responder(take, { takesSeals: true });
  const endpoint = await responder.bind(config.bind, membership.forGuests);
  const self = {
    user: referenceName,
    role: "reference",
    address: advertised(endpoint, config.advertiseHost),
    pid: processId,
    version: ownVersion(),
    ...membership.selfReport,
  } as const;
  const beat = () => {
    registry.heartbeat(
      { ...self, disbelievedClocks: registry.disbelievedClocks },
      { isKnown: true, clock: clock.value },
      now().steadyMs,
    );
    registry.advance(now().steadyMs);
    saving.afterwards(() => {});
  };
  beat();
  const port = await openPort(config, { ...self, registry, clock, requestLogs: [requestLog] });
  responder.start();
  const timer = setInterval(beat, durations.pollMs);
  const ready = { endpoint, metrics: port.endpoint };
  log.info({ ...ready, view: registry.view, serverKey: config.keys?.publicKey }, "Ready");
  return {
    ...ready,
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await saving.settled();
      await responder.close();
      await save();
      await close();
      await port[Symbol.asyncDispose]();
      log.info("Stopped");
    },
  };
}

interface Parts {
  readonly registry: Registry;
  readonly clock: LamportClock;
  readonly requestLog: RequestLog;
}

/**
 * Answers any payload; the answer is an error if the request is invalid.
 * @param member the name of the member that has sealed the request; undefined for a guest
 */
function respond(
  { registry, clock, requestLog }: Parts,
  payload: Buffer,
  member: string | undefined,
): { service: string; answer: Answer } {
  let service = "error";
  try {
    const value = decodeReferenceRequest(payload, member !== undefined);
    if (isMap(value) && typeof value.service === "string") service = value.service.slice(0, 64);
    const request: ReferenceRequest = parseReferenceRequest(value);
    if (request.service === "rank") {
      requestLog.write("info", "Recebido: rank", { user: request.user });
    }
    const answer = handleRequest(
      { ...request, member },
      { registry, clock, steadyMs: now().steadyMs },
    );
    return { service, answer: request.id === undefined ? answer : { ...answer, id: request.id } };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const { code, message: description, retry } = error;
    return { service, answer: { status: "erro", code, description, retry } };
  }
}

function parseSaved(value: unknown): Saved & { clock: number } {
  if (!isMap(value) || !isMap(value.ranks)) throw new Error("it has no `ranks`");
  if (!isMap(value.view)) throw new Error("it has no `view`");
  const ranks = Object.entries(value.ranks).map(([name, rank]) => {
    if (!Number.isSafeInteger(rank)) throw new Error(`the rank of ${name} is no number`);
    return [name, rank as number] as const;
  });
  return {
    ranks: Object.fromEntries(ranks),
    view: parseView(value.view),
    clock: parseClock(value.clock) ?? 0,
  };
}

interface Measured extends Omit<MeasuredProcess, "role" | "name"> {
  readonly registry: Registry;
}

/** Opens the endpoint of the reference's metrics. A running reference is always ready. */
async function openPort(config: ReferenceConfig, { registry, ...self }: Measured) {
  const port = await openMetricsPort(config.metrics, () => undefined);
  measureProcess(port.metrics, { ...self, role: "reference", name: referenceName });
  measureRegistry(port.metrics, registry);
  return port;
}

function measureRegistry(metrics: Metrics, registry: Registry): void {
  metrics.gauge({ name: "tertulia_view", help: "Number of the view." }, () => registry.view.number);
  metrics.gauge({ name: "tertulia_members", help: "Members of the view." }, () => {
    return registry.view.members.length;
  });
  metrics.gauge(
    {
      name: "tertulia_live_processes",
      help: "Processes with the cluster's secret that the reference hears, by role.",
      labels: ["role"],
    },
    () => {
      const known = registry.list(now().steadyMs).filter(({ isKnown }) => isKnown);
      return roles.map((role) => {
        return { labels: { role }, value: known.filter((one) => one.role === role).length };
      });
    },
  );
}
