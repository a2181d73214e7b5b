/** The label that a plan uses for the server that is coordinator when the fault begins. */
export const theCoordinator = "coordinator";
/** Labels that a plan uses for the servers of the engine, by what they are when the fault begins. */
export const thePrimary = "primary";
export const theStandby = "standby";

/** The label of the Redis beside the engine. */
export const theRedis = "redis";

/** Labels that stand for the process that has an office when the fault begins. */
const offices = [theCoordinator, thePrimary, theStandby] as const;
export type Office = (typeof offices)[number];

/** A fault of the cluster. Processes have labels such as `server 1`. */
export type Fault = PlainFault & {
  /**
   * The office at which the plan aimed the fault. The fault's label then names the process that had
   * this office when the fault began.
   */
  readonly office?: Office;
};

type PlainFault =
  | { readonly kind: "kill"; readonly targets: readonly string[] }
  | { readonly kind: "stop"; readonly targets: readonly string[]; readonly forMs: number }
  | {
      readonly kind: "cut";
      /**
       * The process that is cut off from all of `others`: in both directions, only in what it
       * sends, or only in what it receives.
       */
      readonly target: string;
      readonly others: readonly string[];
      readonly way: "both" | "out" | "in";
      readonly forMs: number;
      /** Whether the connections are reset when the cut ends; otherwise they stay open. */
      readonly reset: boolean;
    }
  | {
      readonly kind: "slow";
      readonly target: string;
      readonly others: readonly string[];
      readonly delayMs: number;
      readonly forMs: number;
    }
  | { readonly kind: "reset"; readonly target: string; readonly others: readonly string[] }
  /** The engine's primary is killed, its standby is promoted, and it comes back as a standby. */
  | { readonly kind: "promote"; readonly targets: readonly string[] };

export type PlannedFault = Fault & {
  /** Milliseconds since the load began. */
  readonly atMs: number;
};

export interface Cast {
  readonly servers: readonly string[];
  /** The labels of brokers, proxies and reference. */
  readonly others: readonly string[];
  /** The label of the clients that make the load. */
  readonly clients: string;
  /**
   * The labels of the engine's two servers, and perhaps of a Redis, which only servers reach; none
   * without an engine.
   */
  readonly storage?: readonly string[];
}

/** Returns a random number in [0, 1). */
type Random = () => number;

const firstAtMs = 1_000;
/** Every third fault hits the coordinator, or the engine instead. */
const officeEvery = 3;
/** The shortest and longest time between two faults, in milliseconds. */
const leastGapMs = 600;
const mostGapMs = 2_400;
/** Milliseconds after a kill in which the process is not chosen again, so that it can restart. */
const returnMs = 3_000;
/** Milliseconds without new faults at the end of a run. In a short run, a quarter of its length. */
const calmMs = 4_000;

/**
 * Faults of any process. A fault that is listed several times is chosen more often. Some faults are
 * shorter than the time-outs after which servers give up (1.2 to 2 s), some are longer.
 */
const bag: readonly ((scene: Scene) => Fault | undefined)[] = [
  (scene) => scene.kill(scene.anybody()),
  (scene) => scene.kill(scene.anybody()),
  (scene) => scene.kill(scene.anybody()),
  (scene) => scene.kill(scene.server()),
  (scene) => scene.killMajority(),
  (scene) => scene.stop(scene.anybody(), scene.between(200, 1_000)),
  (scene) => scene.stop(scene.anybody(), scene.between(2_500, 6_000)),
  (scene) => scene.stopMajority(scene.between(2_500, 4_500)),
  (scene) => scene.cutOff("both", scene.between(300, 1_000)),
  (scene) => scene.cutOff("both", scene.between(2_500, 6_000)),
  (scene) => scene.cutOff(scene.oneWay(), scene.between(2_500, 6_000)),
  (scene) => scene.cutFromOne(scene.between(1_500, 5_000)),
  (scene) => scene.cutClients(scene.between(500, 2_500)),
  (scene) => scene.slow(scene.between(2_000, 5_000)),
  (scene) => scene.reset(),
];

/** Faults of the coordinator. A fault that is listed several times is chosen more often. */
const coordinatorBag: typeof bag = [
  (scene) => scene.kill(theCoordinator),
  (scene) => scene.kill(theCoordinator),
  (scene) => scene.kill(theCoordinator),
  (scene) => scene.stop(theCoordinator, scene.between(1_000, 2_500)),
  (scene) => scene.stop(theCoordinator, scene.between(2_500, 6_000)),
  (scene) => scene.cutFromAll(theCoordinator, "both", scene.between(2_500, 6_000)),
  (scene) => scene.cutFromAll(theCoordinator, scene.oneWay(), scene.between(2_500, 6_000)),
];

/** Faults of the engine. A fault that is listed several times is chosen more often. */
const databaseBag: typeof bag = [
  (scene) => scene.promote(),
  (scene) => scene.promote(),
  (scene) => scene.kill(thePrimary),
  (scene) => scene.kill(theStandby),
  (scene) => scene.stop(thePrimary, scene.between(200, 1_000)),
  (scene) => scene.stop(thePrimary, scene.between(2_500, 6_000)),
  (scene) => scene.stop(theStandby, scene.between(1_000, 2_500)),
  (scene) => scene.stop(theStandby, scene.between(2_500, 6_000)),
];

/** Faults of the Redis beside the engine, drawn with those of the engine. */
const redisBag: typeof bag = [
  (scene) => scene.kill(theRedis),
  (scene) => scene.kill(theRedis),
  (scene) => scene.stop(theRedis, scene.between(200, 2_500)),
];

/** Plans the faults of a run. Equal random numbers give the same plan. */
export function planFaults(random: Random, lengthMs: number, cast: Cast): PlannedFault[] {
  const scene = new Scene(random, cast);
  const endMs = lengthMs - Math.min(calmMs, lengthMs / 4);
  const planned: PlannedFault[] = [];
  const hasEngine = cast.storage !== undefined;
  const hasRedis = cast.storage?.includes(theRedis) === true;
  const engineBag = hasRedis ? [...databaseBag, ...redisBag] : databaseBag;
  const bags = {
    any: drawnFrom(bag, scene),
    office: drawnFrom(hasEngine ? engineBag : coordinatorBag, scene),
  };
  let count = 0;
  for (let atMs = firstAtMs; atMs < endMs; atMs += scene.between(leastGapMs, mostGapMs)) {
    count += 1;
    const draw = count % officeEvery === 0 ? bags.office() : bags.any();
    const fault = draw?.(scene.at(atMs));
    if (fault !== undefined) planned.push({ ...fault, atMs });
  }
  return planned.map((fault) => endingBy(endMs, fault));
}

/**
 * Aims a fault planned for an office at the process that has the office now; undefined if no process
 * has it.
 */
export function aimedAt(
  holder: (office: Office) => string | undefined,
  fault: PlannedFault,
): PlannedFault | undefined {
  const targets = "targets" in fault ? fault.targets : [fault.target];
  const office = offices.find((one) => targets.includes(one));
  if (office === undefined) return fault;
  const target = holder(office);
  if (target === undefined) return undefined;
  if ("targets" in fault) return { ...fault, targets: [target], office };
  const others = fault.others.filter((label) => label !== target);
  return { ...fault, target, others, office };
}

/**
 * Returns a function that gives all items in random order, and then all of them again in another
 * order.
 */
function drawnFrom<T>(all: readonly T[], scene: Scene): () => T | undefined {
  let rest: T[] = [];
  return () => {
    if (rest.length === 0) rest = scene.shuffled(all);
    return rest.shift();
  };
}

/** Returns the fault; it is shortened if it would last beyond `endMs`. */
function endingBy(endMs: number, fault: PlannedFault): PlannedFault {
  if (!("forMs" in fault)) return fault;
  return { ...fault, forMs: Math.min(fault.forMs, Math.round(endMs - fault.atMs)) };
}

/** Chooses faults and targets at random, and remembers which processes have a fault at the time. */
class Scene {
  readonly #random: Random;
  readonly #cast: Cast;
  readonly #busyUntilMs = new Map<string, number>();
  #nowMs = 0;

  constructor(random: Random, cast: Cast) {
    this.#random = random;
    this.#cast = cast;
  }

  at(nowMs: number): this {
    this.#nowMs = nowMs;
    return this;
  }

  between(least: number, most: number): number {
    return Math.round(least + this.#random() * (most - least));
  }

  shuffled<T>(items: readonly T[]): T[] {
    const drawn = [...items];
    for (let last = drawn.length - 1; last > 0; last -= 1) {
      const other = Math.floor(this.#random() * (last + 1));
      [drawn[last], drawn[other]] = [drawn[other] as T, drawn[last] as T];
    }
    return drawn;
  }

  oneWay(): "out" | "in" {
    return this.#random() < 0.5 ? "out" : "in";
  }

  anybody(): string | undefined {
    const { servers, others } = this.#cast;
    return this.#free([...servers, ...others]);
  }

  server(): string | undefined {
    return this.#free(this.#cast.servers);
  }

  kill(target: string | undefined): Fault | undefined {
    return target === undefined ? undefined : this.#killed([target]);
  }

  stop(target: string | undefined, forMs: number): Fault | undefined {
    return target === undefined ? undefined : this.#stopped([target], forMs);
  }

  /**
   * Kills a majority of the servers; some of these servers may already have a fault. So the servers
   * that are left are fewer than a quorum.
   */
  killMajority(): Fault {
    return this.#killed(this.#majority());
  }

  promote(): Fault {
    return { kind: "promote", targets: [thePrimary] };
  }

  stopMajority(forMs: number): Fault {
    return this.#stopped(this.#majority(), forMs);
  }

  cutOff(way: "both" | "out" | "in", forMs: number): Fault | undefined {
    const target = this.server();
    return target === undefined ? undefined : this.cutFromAll(target, way, forMs);
  }

  cutFromAll(target: string, way: "both" | "out" | "in", forMs: number): Fault {
    return this.#cut(target, { others: this.#allBut(target), way, forMs });
  }

  /** Cuts a server off from one other process: a server, broker, proxy, reference or database. */
  cutFromOne(forMs: number): Fault | undefined {
    const target = this.server();
    if (target === undefined) return undefined;
    const { servers, others, storage = [] } = this.#cast;
    const all = [...servers, ...others, ...storage];
    const one = this.#pick(all.filter((label) => label !== target));
    const way = this.#pick(["both", "out", "in"] as const) ?? "both";
    return this.#cut(target, { others: one === undefined ? [] : [one], way, forMs });
  }

  /** Cuts the clients off, so that their requests, or the replies, or both do not arrive. */
  cutClients(forMs: number): Fault {
    const { clients, others } = this.#cast;
    const way = this.#pick(["both", "out", "in"] as const) ?? "both";
    return this.#cut(clients, { others, way, forMs });
  }

  slow(forMs: number): Fault | undefined {
    const target = this.server();
    if (target === undefined) return undefined;
    this.#occupy([target], forMs);
    const delayMs = this.between(50, 400);
    return { kind: "slow", target, others: this.#allBut(target), delayMs, forMs };
  }

  reset(): Fault | undefined {
    const target = this.anybody();
    if (target === undefined) return undefined;
    return { kind: "reset", target, others: this.#allBut(target) };
  }

  #killed(targets: readonly string[]): Fault {
    this.#occupy(targets, returnMs);
    return { kind: "kill", targets };
  }

  #stopped(targets: readonly string[], forMs: number): Fault {
    this.#occupy(targets, forMs);
    return { kind: "stop", targets, forMs };
  }

  #cut(target: string, how: Pick<Fault & { kind: "cut" }, "others" | "way" | "forMs">): Fault {
    this.#occupy([target], how.forMs);
    return { kind: "cut", target, ...how, reset: this.#random() < 0.5 };
  }

  #occupy(targets: readonly string[], forMs: number): void {
    for (const target of targets) {
      const untilMs = Math.max(this.#busyUntilMs.get(target) ?? 0, this.#nowMs + forMs);
      this.#busyUntilMs.set(target, untilMs);
    }
  }

  #allBut(target: string): string[] {
    const { servers, others, clients, storage = [] } = this.#cast;
    const all = [...servers, ...others, clients, ...storage];
    return all.filter((label) => label !== target);
  }

  #majority(): string[] {
    const { servers } = this.#cast;
    return this.shuffled(servers).slice(0, Math.floor(servers.length / 2) + 1);
  }

  #free(labels: readonly string[]): string | undefined {
    return this.#pick(labels.filter((label) => (this.#busyUntilMs.get(label) ?? 0) <= this.#nowMs));
  }

  #pick<T>(items: readonly T[]): T | undefined {
    return items[Math.floor(this.#random() * items.length)];
  }
}
