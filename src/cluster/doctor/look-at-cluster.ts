import type { Refusal } from "../../net/connection-refusal.ts";
import { Membership } from "../../net/membership.ts";
import { probe } from "../../net/probe.ts";
import { referenceName } from "../../net/reference-link.ts";
import { Requester } from "../../net/requester.ts";
import { addressOfName } from "../../net/resolve.ts";
import type { Seals } from "../../net/seal.ts";
import { locally } from "../../net/socket.ts";
import { now } from "../../platform/clock.ts";
import { serverKey } from "../../platform/curve.ts";
import { addressesOf, splitKey, withKey } from "../../platform/endpoint.ts";
import { openLog } from "../../platform/log.ts";
import { isOwnAddress } from "../../platform/machine.ts";
import { splitHost } from "../../platform/parse-endpoint.ts";
import { Problem } from "../../platform/problem.ts";
import { randomHex } from "../../platform/random.ts";
import type { Secret } from "../../platform/secret.ts";
import { flagOf, type Settings } from "../../platform/settings.ts";
import { decode, encode } from "../../protocol/codec.ts";
import { type Fields, fieldsOf } from "../../protocol/fields.ts";
import { LamportClock } from "../../protocol/lamport-clock.ts";
import { isOurList, parseList } from "../../protocol/parse-list.ts";
import type { Role } from "../../protocol/reference-messages.ts";
import type { ClockSeen, Cluster, Reached } from "./core/cluster-checks.ts";
import type { Port } from "./core/host-checks.ts";
import { secretIfAny } from "./look-at-files.ts";
import type { LocalProcess } from "./look-at-host.ts";

const timeoutMs = 2_000;

type EndpointSetting = "broker" | "brokerBack" | "proxyIn" | "proxy" | "reference";

/** The settings with the endpoints that the check itself asks. */
const asked = ["broker", "reference"] as const;

/** The settings with the endpoints to which a process of each role connects. */
const connects = {
  server: ["brokerBack", "proxyIn", "proxy", "reference"],
  broker: ["reference"],
  proxy: ["reference"],
  reference: [],
  gateway: ["broker", "proxy", "reference"],
  game: ["broker", "proxy", "reference"],
  bot: ["broker", "proxy", "reference"],
} as const satisfies Readonly<Record<Role, readonly EndpointSetting[]>>;

interface Host {
  readonly settings: Settings;
  readonly processes: readonly LocalProcess[];
  /** The ports that this host's processes bind. At those that are still free nobody must answer. */
  readonly ports: readonly Port[];
}

/** Asks the processes to which this host's processes connect. */
export async function lookAtCluster(host: Host): Promise<Cluster> {
  const { settings } = host;
  const reached = await reach(host);
  const answering = (flag: string) =>
    reached.filter((one) => one.flag === flag && one.state === "greeting");
  const isThere = (name: "reference" | "broker") => answering(flagOf(name)).length > 0;
  const key = keyOf(settings);
  const nothing = { listed: undefined, acceptsSecret: undefined, auth: undefined };
  const unknown: Cluster = { ...nothing, reached, refusal: undefined, clock: undefined };
  // Without the key that the settings name, every answer would be a refusal.
  if (key === "unusable") return unknown;
  const endpoints = (name: "reference" | "broker") => withKey(settings.get(name), key.key);
  const reference = isThere("reference") ? await askReference(endpoints("reference")) : undefined;
  const broker = isThere("broker") ? await askBroker(endpoints("broker")) : undefined;
  const secret = secretIfAny(settings);
  const isOurs = reference?.listed !== undefined;
  return {
    reached,
    refusal: reference?.refusal ?? broker?.refusal,
    listed: reference?.listed,
    acceptsSecret:
      isOurs && secret !== undefined
        ? await acceptsSecret(endpoints("reference"), secret)
        : undefined,
    auth: broker?.auth,
    clock: broker?.clock ?? reference?.clock,
  };
}

function keyOf(settings: Settings): "unusable" | { readonly key: string | undefined } {
  try {
    return { key: serverKey(settings) };
  } catch (error) {
    // The checks of the secret and of the key's file say what is wrong.
    if (error instanceof Problem) return "unusable";
    throw error;
  }
}

async function reach({ settings, processes, ports }: Host): Promise<Reached[]> {
  const ends = new Map<string, { readonly flag: string; readonly endpoint: string }>();
  const add = (from: Settings, setting: EndpointSetting) => {
    for (const end of from.get(setting)) {
      const [flag, endpoint] = [flagOf(setting), splitKey(end).address];
      ends.set(`${flag} ${endpoint}`, { flag, endpoint });
    }
  };
  for (const setting of asked) add(settings, setting);
  for (const local of processes) {
    for (const setting of connects[local.role]) add(local.settings, setting);
  }
  const unbound = ports.filter(({ state }) => state === "free");
  const found = [...ends.values()].map(async ({ flag, endpoint }): Promise<Reached[]> => {
    const { host } = splitHost(endpoint) ?? {};
    const address = host === undefined ? undefined : (await addressOfName(host))?.address;
    // The check of names reports an unknown host.
    if (host !== undefined && address === undefined) return [];
    const state = await probe(endpoint, timeoutMs);
    const isOwn = unbound.some((port) => isSamePlace(port.endpoint, endpoint, address));
    return [{ flag, endpoint, state, isOwn }];
  });
  return (await Promise.all(found)).flat();
}

/** Returns whether a process that binds `bound` on this machine is reached at the endpoint. */
function isSamePlace(bound: string, endpoint: string, address: string | undefined): boolean {
  if (bound === endpoint || locally(bound) === endpoint) return true;
  const isHere = address !== undefined && isOwnAddress(address);
  return isHere && splitHost(bound)?.port === splitHost(endpoint)?.port;
}

interface Answer {
  readonly data: Fields;
  /** The machine's time in the middle between question and answer, in milliseconds since 1970. */
  readonly middleMs: number;
  /** Half of the round trip, in milliseconds. */
  readonly errorMs: number;
}

/** Asks questions over one connection. */
class Questions implements Disposable {
  readonly endpoints: readonly string[];
  refusal: Refusal | undefined;
  readonly #requester: Requester;
  readonly #refused: Promise<undefined>;

  constructor(endpoints: readonly string[], seals?: Seals) {
    this.endpoints = endpoints;
    const sealing = seals && { seals, to: referenceName };
    this.#requester = new Requester(endpoints, { waits: true, sealing });
    this.#refused = new Promise((resolve) => {
      this.#requester.onRefusal = (refusal) => {
        this.refusal = refusal;
        if (refusal !== undefined) resolve(undefined);
      };
    });
  }

  /** @returns undefined if the connection is refused, or no answer comes within `timeoutMs` */
  async ask(service: string): Promise<Answer | undefined> {
    const start = now();
    const payload = encode({ service, data: { clock: 0 } });
    const answered = this.#requester.ask(payload, timeoutMs).catch(() => undefined);
    const reply = await Promise.race([answered, this.#refused]);
    const errorMs = (now().steadyMs - start.steadyMs) / 2;
    if (reply === undefined) return undefined;
    const { data } = fieldsOf(decode(reply));
    return { data: fieldsOf(data), middleMs: start.wallMs + errorMs, errorMs };
  }

  [Symbol.dispose](): void {
    this.#requester.close();
  }
}

async function askReference(endpoints: readonly string[]) {
  using questions = new Questions(endpoints);
  // The first question waits for the connection, so its answer does not tell the time exactly.
  await questions.ask("list");
  const answer = await questions.ask("list");
  const { data = {} } = answer ?? {};
  const listed = isOurList(data) ? parseList(data.list) : undefined;
  return { listed, refusal: questions.refusal, clock: clockOf(endpoints, answer, data.timestamp) };
}

async function askBroker(endpoints: readonly string[]) {
  using questions = new Questions(endpoints);
  // Every session may list the channels, and without accounts everybody may.
  const channels = (await questions.ask("channels"))?.data;
  const isLocked = channels?.code === "unauthenticated";
  const isAnswered = channels !== undefined && channels.code !== "unavailable";
  const auth = isAnswered ? (isLocked ? "required" : "open") : undefined;
  const answer = isAnswered ? await questions.ask("time") : undefined;
  const clock = clockOf(endpoints, answer, answer?.data.time);
  return { refusal: questions.refusal, auth, clock } as const;
}

function clockOf(
  endpoints: readonly string[],
  answer: Answer | undefined,
  time: unknown,
): ClockSeen | undefined {
  const timeMs = typeof time === "string" ? Date.parse(time) : Number.NaN;
  if (answer === undefined || Number.isNaN(timeMs)) return undefined;
  const { middleMs, errorMs } = answer;
  return { endpoint: addressesOf(endpoints), offsetMs: timeMs - middleMs, errorMs };
}

/** The reference has answered without a seal; if it does not answer a seal, the secrets differ. */
async function acceptsSecret(endpoints: readonly string[], secret: Secret): Promise<boolean> {
  const name = `doctor_${randomHex(4)}`;
  const self = () => name;
  const clock = new LamportClock();
  const log = openLog({ level: "silent", role: "client", name: self, clock: () => 0 });
  const seals = new Membership({ secret, self, clock, log }).seals("reference");
  using questions = new Questions(endpoints, seals);
  return (await questions.ask("list")) !== undefined;
}
