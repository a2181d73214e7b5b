import type { ServerName } from "../../src/protocol/ids.ts";
import type { ServerSteps, Step, StepKind, Trace } from "../../src/protocol/steps.ts";

/** The servers of the fixtures: server_00000000 is the origin of the event. */
export function serverName(number: number): ServerName {
  return `server_0000000${number}` as ServerName;
}

export const origin = serverName(0);
/** A time to which the times of the fixtures are relative. */
export const startMs = 1_800_000_000_000;

export type Told = Partial<Pick<Step, "peer" | "sentClock">>;

/** @param ms milliseconds after `startMs` */
export function step(
  kind: StepKind,
  [ms, clock]: readonly [number, number],
  told: Told = {},
): Step {
  return { kind, atMs: startMs + ms, clock, ...told };
}

/** The clock that the origin has when it sends the event. */
const sentClock = 13;

export function follower(number: number, ms = number): ServerSteps {
  const sent = { peer: origin, sentClock };
  const clock = 14 + number;
  return {
    name: serverName(number),
    offsetMs: 0,
    steps: [
      step("received", [2 + ms, clock], sent),
      step("synced", [3 + ms, clock]),
      step("acknowledged", [3.5 + ms, clock + 1]),
    ],
  };
}

/** The steps that the origin makes before it hears of its peers. */
export const firstSteps: readonly Step[] = [
  step("asked", [0, 11], { sentClock: 5 }),
  step("made", [0.2, 12]),
  step("synced", [1.2, 12]),
  step("sent", [1.3, sentClock]),
];

/** The trace of an event that all of `count` servers have. */
export function wholeTrace(count: number): Trace {
  const followers = Array.from({ length: count - 1 }, (_, at) => follower(at + 1));
  const heard = followers.map(({ name, steps }, at) => {
    const clock = 30 + at;
    return step("heard", [5 + at, clock], { peer: name, sentClock: steps.at(-1)?.clock });
  });
  const quorum = Math.floor(count / 2);
  const [atMs, clock] = [4.1 + quorum, 29 + quorum];
  const done = (["committed", "replied", "published"] as const).map((kind, at) => {
    return step(kind, [atMs + at / 100, clock]);
  });
  const steps = [...firstSteps, ...heard.slice(0, quorum), ...done, ...heard.slice(quorum)];
  return traceOf([{ name: origin, offsetMs: 0, steps }, ...followers]);
}

export function traceOf(
  servers: readonly ServerSteps[],
  silent: readonly ServerName[] = [],
): Trace {
  const event = { server: origin, seq: 7, clock: 12, id: "the-id", operation: "publish" };
  return { event, servers, silent };
}

/** Replaces the steps of one server. */
export function changed(
  trace: Trace,
  name: ServerName,
  change: (told: ServerSteps) => Partial<ServerSteps>,
): Trace {
  const servers = trace.servers.map((told) => {
    return told.name === name ? { ...told, ...change(told) } : told;
  });
  return { ...trace, servers };
}
