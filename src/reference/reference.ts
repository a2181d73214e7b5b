import { join } from "node:path";
import { type Envelope, Responder } from "../net/responder.ts";
import { advertised } from "../net/socket.ts";
import { now } from "../platform/clock.ts";
import { processId } from "../platform/host.ts";
import { type Log, openLog } from "../platform/log.ts";
import { crash, type Running } from "../platform/run-process.ts";
import { decode, encode, formatOf } from "../protocol/codec.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { LamportClock, parseClock } from "../protocol/lamport-clock.ts";
import { durations } from "../protocol/limits.ts";
import type { ReferenceRequest } from "../protocol/messages.ts";
import { isMap } from "../protocol/parse-message.ts";
import { parseView } from "../protocol/parse-peer.ts";
import { parseReferenceRequest } from "../protocol/parse-reference.ts";
import { isoTime } from "../protocol/time.ts";
import { readJson, writeJson } from "../storage/json-file.ts";
import { lockFolderOrFail } from "../storage/slot-lock.ts";
import type { ReferenceConfig } from "./config.ts";
import { type Answer, handleRequest } from "./core/handle-request.ts";
import { Registry, type Saved } from "./core/registry.ts";

export interface Reference extends Running {
  readonly endpoint: string;
}

/** Ranks, heartbeats, the view: answers one request after the other, each change saved first. */
export async function startReference(config: ReferenceConfig): Promise<Reference> {
  const slot = lockFolderOrFail(config.folder);
  const path = join(config.folder, "reference.json");
  const saved = await readJson(path, parseSaved);
  const clock = new LamportClock(saved?.clock);
  const log = openLog({
    level: config.logLevel,
    role: "reference",
    name: () => "reference",
    clock: () => clock.value,
  });
  const registry = new Registry(saved, now().steadyMs);
  const save = () => writeJson(path, { clock: clock.value, ...registry.saved });

  /** One after the other, so that nothing is told before it is saved. */
  let last = Promise.resolve();
  const serially = (task: () => Promise<void>) => {
    last = last.then(task);
  };

  async function saveChanges(): Promise<void> {
    if (!registry.takeChanged()) return;
    try {
      await save();
    } catch (error) {
      crash(`${path} can't be written (${(error as Error).message}).`);
    }
    log.info({ view: registry.view }, "Saved ranks and view");
  }

  async function answerOne(to: Envelope, payload: Buffer): Promise<void> {
    const format = formatOf(payload);
    const { service, answer } = respond(registry, clock, payload, log);
    await saveChanges();
    const data = { ...answer, clock: clock.tick(), timestamp: isoTime(now().wallMs) };
    responder.reply(to, encode({ service, data }, format));
  }

  const responder = new Responder((to, payload) => serially(() => answerOne(to, payload)));
  const endpoint = await responder.bind(config.bind);
  const self = {
    user: "reference",
    role: "reference",
    address: advertised(endpoint, config.advertiseHost),
    pid: processId,
  } as const;
  const beat = () => {
    registry.heartbeat(self, clock.value, now().steadyMs);
    registry.advance(now().steadyMs);
    serially(saveChanges);
  };
  beat();
  responder.start();
  const timer = setInterval(beat, durations.pollMs);
  log.info({ endpoint, view: registry.view }, "Ready");
  return {
    endpoint,
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await last;
      await responder.close();
      await save();
      slot[Symbol.dispose]();
      log.info("Stopped");
    },
  };
}

function respond(
  registry: Registry,
  clock: LamportClock,
  payload: Buffer,
  log: Log,
): { service: string; answer: Answer } {
  let service = "error";
  try {
    const value = decodeRequest(payload);
    if (isMap(value) && typeof value.service === "string") service = value.service.slice(0, 64);
    const request: ReferenceRequest = parseReferenceRequest(value);
    if (request.service === "rank") log.info({ user: request.user }, "Recebido: rank");
    const answer = handleRequest(registry, clock, request, now().steadyMs);
    return { service, answer: request.id === undefined ? answer : { ...answer, id: request.id } };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    const { code, message: description, retry } = error;
    return { service, answer: { status: "erro", code, description, retry } };
  }
}

function decodeRequest(payload: Buffer): unknown {
  try {
    return decode(payload, formatOf(payload));
  } catch {
    throw new ProtocolError("bad_request", "The payload is not one value in MessagePack or JSON.");
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
