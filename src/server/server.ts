import { measureProcess } from "../net/measure-process.ts";
import { Membership } from "../net/membership.ts";
import { openMetricsPort } from "../net/metrics-port.ts";
import { Responder } from "../net/responder.ts";
import { advertised } from "../net/socket.ts";
import { now, steadyOriginMs } from "../platform/clock.ts";
import { memberKey } from "../platform/curve.ts";
import { digest } from "../platform/digest.ts";
import { openLog, RequestLog } from "../platform/log.ts";
import { randomHex } from "../platform/random.ts";
import { crash } from "../platform/run-process.ts";
import { ownVersion } from "../platform/version.ts";
import { PeerMessageError } from "../protocol/errors.ts";
import type { Chain, ServerName } from "../protocol/ids.ts";
import { LamportClock } from "../protocol/lamport-clock.ts";
import { durations } from "../protocol/limits.ts";
import type { View } from "../protocol/view.ts";
import { ClockFile } from "../storage/clock-file.ts";
import { DiskWatch } from "../storage/disk-watch.ts";
import { FileStore } from "../storage/file-store.ts";
import { nameOf } from "../storage/identity.ts";
import { sizesOf } from "../storage/sizes.ts";
import type { Store } from "../storage/store.ts";
import { Bus } from "./bus.ts";
import { chooseSlot } from "./choose-slot.ts";
import { ClientWire } from "./client-wire.ts";
import type { ServerConfig } from "./config.ts";
import type { Input } from "./core/effects.ts";
import { ownTables } from "./core/services.ts";
import { ServerCore } from "./core/step.ts";
import { RememberedSteps } from "./core/steps/remembered-steps.ts";
import { StepRecorder } from "./core/steps/step-recorder.ts";
import { openEngineServer } from "./engine/engine-server.ts";
import { measureServer, type Recorder } from "./measure.ts";
import { PeerLinks } from "./peer-links.ts";
import { type PeerMessage, PeerWire } from "./peer-wire.ts";
import { type Foundation, realSurroundings, type Server, type Wires } from "./real-surroundings.ts";
import { Shell } from "./shell.ts";
import { TopicKeys } from "./topic-keys.ts";

/**
 * Starts one server: a replica, with a core, its shell, and the sockets, files and timers around them;
 * or, with an engine, a server that keeps no state.
 */
export async function startServer(config: ServerConfig): Promise<Server> {
  const { secret, keys, reference, slots } = config;
  const clock = new LamportClock();
  // The server's name is in the folder of its slot. Until a slot is chosen, the server uses a
  // random name in its messages to the reference.
  let self = `start_${randomHex(4)}`;
  const log = openLog({
    level: config.logLevel,
    role: "server",
    name: () => self,
    clock: () => clock.value,
  });
  const membership = new Membership({ secret, keys, self: () => self, clock, log });
  const link = membership.referenceLink(reference);
  const slot = await chooseSlot(slots, link);
  const name = await nameOf(slot.folder);
  self = name;
  const clockFile = await ClockFile.open(slot.folder, clock, crash);
  const requestLogs = { clients: new RequestLog(log), peers: new RequestLog(log) };
  const place = { config, clock, clockFile, membership, link, slot, name, log, requestLogs };
  return config.engine === undefined ? openServer(place) : openEngineServer(place, config.engine);
}

/**
 * Binds the peer link first, because the core needs the link's address. The link receives no
 * message before the shell starts.
 */
async function openServer(place: Foundation): Promise<Server> {
  const { config, clock, clockFile, membership, name, log, slot } = place;
  const take = (message: PeerMessage) => wires.peerWire.take(message);
  const responder = new Responder((envelope, payload, seal) => take({ envelope, payload, seal }), {
    takesSeals: true,
  });
  const bound = await responder.bind(config.bind, membership.forMembers());
  const address = advertised(bound, config.advertiseHost);
  let started: Shell | undefined;
  const { self, recorder, metrics, close } = await openMetrics(place, () => started);
  const disk = new FileStore({
    folder: slot.folder,
    checkpointBytes: config.checkpointBytes,
    clock,
    log,
    onFlushed: (count, seconds) => {
      recorder.synced(count, seconds);
      shell.onFlushed(count);
    },
    onFailed: crash,
  });
  const view = await disk.readView();
  if (view.number > 0) await tellView(place, view);
  const { auth, retention, flood, secret } = config;
  const topicKeys = new TopicKeys(secret);
  const { memory, recorder: stepRecorder } = openSteps(name, config.steps);
  const policy = { retention, auth, flood, topicKeys: topicKeys.sources, memory };
  const chance = randomHex(16) as Chain;
  const newCore = () => new ServerCore({ name, clock, digest, chance, address, self, ...policy });
  const core = await disk.load(newCore);
  // A `Seals` object rejects messages whose clock is not above the clock that this server had when
  // the object was made. So the wires, which make these objects, are opened after `load`, which
  // raises the clock to its value before the restart.
  const parts = { ...place, responder, disk, topicKeys, recorder };
  const wires: Wires = openWires({ ...parts, shell: () => shell });
  let onServing = () => {};
  const firstServing = new Promise<void>((resolve) => {
    onServing = resolve;
  });
  const world = realSurroundings({ ...place, ...wires, address, disk, newCore, onServing });
  const shell: Shell = new Shell(world, stepRecorder);
  shell.start(core);
  started = shell;
  log.info({ event: "started", folder: slot.folder, address, metrics }, "Started");
  const stop = async () => {
    const { leaveOnStop: leave } = config;
    // A server that leaves the view needs the reference's answer. Any other server may outlive the
    // reference, so it does not warn when the reference falls silent.
    if (!leave) place.link.expectSilence();
    await new Promise<void>((onStopped) => shell.stop({ leave, onStopped }));
    await clockFile[Symbol.asyncDispose]();
    slot[Symbol.dispose]();
    await close();
    log.info("Stopped");
  };
  return { name, address, metrics, firstServing, [Symbol.asyncDispose]: stop };
}

/** @param most the number of records to remember; with 0, nothing is recorded (O63) */
function openSteps(name: ServerName, most: number) {
  if (most === 0) return {};
  const memory = new RememberedSteps(name, most);
  const recorder = new StepRecorder({ name, memory, now, originMs: steadyOriginMs });
  return { memory, recorder };
}

/**
 * Opens the endpoint of the server's metrics, which answers while the server still reads its disk.
 * @param shell returns undefined until then
 * @returns also `self`, what the server tells about itself in its heartbeats
 */
async function openMetrics(
  { config, clock, membership, name, slot, requestLogs }: Foundation,
  shell: () => Shell | undefined,
) {
  const unready = () => (shell() === undefined ? "it reads its disk" : shell()?.unready);
  const port = await openMetricsPort(config.metrics, unready);
  const { services } = ownTables;
  const diskWatch = new DiskWatch(slot.folder);
  const self = {
    version: ownVersion(),
    ...membership.selfReport,
    get disk() {
      return diskWatch.space;
    },
  };
  measureProcess(port.metrics, {
    ...{ ...self, role: "server", name, clock },
    requestLogs: Object.values(requestLogs),
  });
  const recorder = measureServer(port.metrics, {
    figures: () => shell()?.figures,
    sizes: () => sizesOf(slot.folder),
    fetchedStates: () => shell()?.fetchedStates ?? 0,
    disk: () => self.disk,
    isService: (service) => Object.hasOwn(services, service),
    isWrite: (service) =>
      Object.hasOwn(services, service) && services[service]?.sender !== undefined,
  });
  const close = async () => {
    diskWatch[Symbol.dispose]();
    await port[Symbol.asyncDispose]();
  };
  return { self, recorder, metrics: port.endpoint, close };
}

interface WireParts extends Foundation {
  readonly responder: Responder;
  readonly disk: Store;
  readonly topicKeys: TopicKeys;
  readonly recorder: Recorder;
  /** Returns the shell, which is made after the wires, but before the first message arrives. */
  shell(): Shell;
}

function openWires(parts: WireParts): Wires {
  const { config, clock, membership, name, log, responder, disk, topicKeys } = parts;
  const { recorder, shell, requestLogs } = parts;
  const { auth, brokers, keys, proxiesIn, proxies, secret } = config;
  const seals = membership.seals("peer");
  const dispatch = (input: Input) => shell().dispatch(input);
  const onDropped = (error: unknown) => {
    if (!(error instanceof PeerMessageError)) throw error;
    requestLogs.peers.write("warn", `A peer's message was dropped: ${error.message}`);
  };
  const peerWire = new PeerWire({
    name,
    clock,
    log,
    responder,
    seals,
    disk,
    unready: () => shell().unready,
    onInput: dispatch,
    onGuest: () => membership.refusals.forged(undefined, false),
    onDropped,
  });
  const bus = new Bus({
    auth,
    proxiesIn,
    proxies,
    seals: membership.seals("replication"),
    topicKeys,
    correctedMs: () => shell().correctedMs,
    onReplication: (message) => dispatch({ type: "replication", message }),
    onSubscription: (topic, active) => dispatch({ type: "subscription", topic, active }),
    onDropped,
  });
  const { services: parsers } = ownTables;
  const { answered: onAnswered } = recorder;
  const clients = new ClientWire({
    ...{ auth, secret, brokers, parsers, log: requestLogs.clients },
    onRequests: dispatch,
    onAnswered,
  });
  const peers = new PeerLinks(seals, memberKey(secret, keys));
  return { responder, peerWire, bus, clients, peers };
}

/**
 * Sends the saved view to the reference before the journal is loaded, because after loading it may
 * be too late: a reference that starts without its file waits only 1.2 s for servers' views, and
 * may then make a different view.
 */
async function tellView({ link, name }: Foundation, view: View): Promise<void> {
  try {
    const report = { user: name, role: "server", version: ownVersion(), view };
    await link.ask("heartbeat", report, durations.pollMs);
  } catch {
    // A reference that is down makes no view. Once it is up, it gets the present view from the
    // servers' heartbeats.
  }
}
