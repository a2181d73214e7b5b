import { describe, expect, test } from "vitest";
import { seededRandom } from "../../../src/platform/random.ts";
import {
  aimedAt,
  type PlannedFault,
  planFaults,
  theCoordinator,
  thePrimary,
  theRedis,
  theStandby,
} from "../../../src/trials/chaos/core/fault-plan.ts";

const cast = {
  servers: ["server 1", "server 2", "server 3"],
  others: ["broker 1", "proxy 1", "reference 1"],
  clients: "clients",
};

function plan(seed: number, lengthMs = 120_000): PlannedFault[] {
  return planFaults(seededRandom(seed), lengthMs, cast);
}

const seeds = Array.from({ length: 200 }, (_, seed) => seed);

function targetsOf(fault: PlannedFault): readonly string[] {
  return "targets" in fault ? fault.targets : [fault.target];
}

describe("the plan of faults", () => {
  test("the plan of faults is the same for the same seed, and differs for another seed", () => {
    expect(plan(7)).toEqual(plan(7));
    expect(plan(7)).not.toEqual(plan(8));
  });

  test("the plan of faults kills at least 20 processes in 120 s with each seed", () => {
    for (const seed of seeds) {
      const kills = plan(seed).filter(({ kind }) => kind === "kill");
      expect(kills.flatMap(targetsOf).length, `seed ${seed}`).toBeGreaterThanOrEqual(20);
    }
  });

  test("the plans of faults have each kind of fault, each direction of a cut, and each process", () => {
    for (const seed of seeds) {
      const faults = plan(seed);
      const kinds = new Set(faults.map(({ kind }) => kind));
      expect([...kinds].sort(), `seed ${seed}`).toEqual(["cut", "kill", "reset", "slow", "stop"]);
    }
    const all = seeds.flatMap((seed) => plan(seed));
    const ways = new Set(all.flatMap((fault) => (fault.kind === "cut" ? [fault.way] : [])));
    expect([...ways].sort()).toEqual(["both", "in", "out"]);
    const everybody = [...cast.servers, ...cast.others, cast.clients, theCoordinator].sort();
    expect([...new Set(all.flatMap(targetsOf))].sort()).toEqual(everybody);
  });

  test("each plan of faults kills and stops a majority of the servers at once", () => {
    for (const seed of seeds) {
      for (const kind of ["kill", "stop"]) {
        const majorities = plan(seed).filter((fault) => {
          return fault.kind === kind && targetsOf(fault).length === 2;
        });
        expect(majorities.length, `seed ${seed}`).toBeGreaterThan(0);
      }
    }
  });

  test("the plans of faults have stops and cuts below 1 s and above 5 s", () => {
    const lasting = seeds.flatMap((seed) =>
      plan(seed).flatMap((fault) =>
        fault.kind === "stop" || fault.kind === "cut" ? [fault.forMs] : [],
      ),
    );
    expect(Math.min(...lasting)).toBeLessThan(1_000);
    expect(Math.max(...lasting)).toBeGreaterThan(5_000);
  });

  test("the plan of faults has no fault near the end of a run, even of a short run", () => {
    for (const lengthMs of [8_000, 30_000, 120_000]) {
      for (const seed of seeds) {
        const ends = plan(seed, lengthMs).map((fault) => {
          return fault.atMs + ("forMs" in fault ? fault.forMs : 0);
        });
        expect(ends.length, `seed ${seed}`).toBeGreaterThan(0);
        expect(Math.max(...ends)).toBeLessThanOrEqual(lengthMs - Math.min(4_000, lengthMs / 4));
      }
    }
  });

  test("a planned fault of a single process never begins while an earlier fault of that process lasts", () => {
    for (const seed of seeds) {
      const busyUntil = new Map<string, number>();
      for (const fault of plan(seed)) {
        const targets = targetsOf(fault);
        // A majority, the clients and the coordinator are chosen even if they are busy.
        const [target = ""] = targets;
        if (targets.length === 1 && target !== cast.clients && target !== theCoordinator) {
          expect(busyUntil.get(target) ?? 0, `seed ${seed}, ${target}`).toBeLessThanOrEqual(
            fault.atMs,
          );
        }
        const lastsMs = fault.kind === "kill" ? 3_000 : "forMs" in fault ? fault.forMs : 0;
        for (const one of targets) {
          busyUntil.set(one, Math.max(busyUntil.get(one) ?? 0, fault.atMs + lastsMs));
        }
      }
    }
  });

  test("about a third of the planned faults kill, stop or cut off the coordinator", () => {
    for (const seed of seeds) {
      const faults = plan(seed);
      const hits = faults.filter((fault) => targetsOf(fault).includes(theCoordinator));
      expect(hits.length / faults.length, `seed ${seed}`).toBeGreaterThan(0.28);
      expect(hits.length / faults.length, `seed ${seed}`).toBeLessThan(0.45);
      const kinds = new Set(hits.map(({ kind }) => kind));
      expect([...kinds].sort(), `seed ${seed}`).toEqual(["cut", "kill", "stop"]);
    }
  });

  test("a fault planned for the coordinator hits the process that is coordinator at that time, and other faults stay as planned", () => {
    for (const planned of plan(5)) {
      const fault = aimedAt(() => "server 2", planned);
      if (!targetsOf(planned).includes(theCoordinator)) {
        expect(fault).toBe(planned);
        continue;
      }
      expect(aimedAt(() => undefined, planned)).toBeUndefined();
      if (fault === undefined) throw new Error("there is a coordinator");
      expect(fault).toMatchObject({ atMs: planned.atMs, office: theCoordinator });
      expect(targetsOf(fault)).toEqual(["server 2"]);
      if (fault.kind !== "cut") continue;
      const everybody = [...cast.servers, ...cast.others, cast.clients];
      expect(fault.others).toEqual(everybody.filter((label) => label !== "server 2"));
    }
  });

  test("with an engine, about a third of the planned faults hit its servers, and some promote the standby", () => {
    const storage = ["postgres 1", "postgres 2"];
    for (const seed of seeds) {
      const faults = planFaults(seededRandom(seed), 120_000, { ...cast, storage });
      const hits = faults.filter((fault) => {
        return [thePrimary, theStandby].some((office) => targetsOf(fault).includes(office));
      });
      expect(hits.length / faults.length, `seed ${seed}`).toBeGreaterThan(0.28);
      expect(hits.length / faults.length, `seed ${seed}`).toBeLessThan(0.45);
      const kinds = new Set(hits.map(({ kind }) => kind));
      expect([...kinds].sort(), `seed ${seed}`).toEqual(["kill", "promote", "stop"]);
      expect(faults.flatMap(targetsOf)).not.toContain(theCoordinator);
    }
  });

  test("with a Redis beside the engine, some faults kill it and some stop it, and less than a fifth of all faults hit it", () => {
    const storage = ["postgres 1", "postgres 2", theRedis];
    for (const seed of seeds) {
      const faults = planFaults(seededRandom(seed), 120_000, { ...cast, storage });
      const hits = faults.filter((fault) => "targets" in fault && fault.targets.includes(theRedis));
      expect(new Set(hits.map(({ kind }) => kind)), `seed ${seed}`).toEqual(
        new Set(["kill", "stop"]),
      );
      expect(hits.length / faults.length, `seed ${seed}`).toBeLessThan(0.2);
    }
  });

  test("a fault planned for the standby hits the server that is the standby at that time", () => {
    const planned: PlannedFault = { kind: "stop", targets: [theStandby], forMs: 500, atMs: 1 };
    const holder = (office: string) => (office === theStandby ? "postgres 2" : "postgres 1");
    expect(aimedAt(holder, planned)).toEqual({
      ...planned,
      targets: ["postgres 2"],
      office: theStandby,
    });
  });

  test("a plan of faults can be made for a single server", () => {
    const alone = planFaults(seededRandom(1), 60_000, { ...cast, servers: ["server 1"] });
    expect(alone.length).toBeGreaterThan(10);
  });
});
