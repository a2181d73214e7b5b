import type { UserName } from "../../../src/protocol/ids.ts";
import type { MatchId } from "../../../src/protocol/matches.ts";
import { assertPromise, BrokenPromise } from "../../support/check-promises.ts";
import type { Outcome } from "../run.ts";
import { MatchFaults } from "./match-faults.ts";
import { Spectator } from "./spectator.ts";
import type { VirtualGame } from "./virtual-game.ts";
import { VirtualPlayer } from "./virtual-player.ts";
import { World } from "./world.ts";

/** Virtual milliseconds within which all matches must be over after the last fault. */
const recoveryMs = 400_000;
/** Virtual milliseconds within which two players who wait, and fit, must get a match. */
const pairingMs = 12_000;

/** Runs game servers with players and random faults. The same seed gives the same run. */
export function runMatches(seed: number): Outcome {
  const story: string[] = [];
  const simulation = new MatchSimulation(seed, (text) => story.push(text));
  try {
    simulation.run();
    const { told, counts } = simulation;
    return { seed, broken: undefined, story, acknowledged: told, counts };
  } catch (error) {
    const { name, message, stack } = error as Error;
    const broken = error instanceof BrokenPromise || name === "AssertionError" ? message : stack;
    story.push(`BROKEN ${broken}`);
    const { told, counts } = simulation;
    return { seed, broken, story, acknowledged: told, counts };
  }
}

class MatchSimulation {
  readonly #world: World;
  readonly #players: VirtualPlayer[];
  readonly #faults: MatchFaults;

  constructor(seed: number, tell: (text: string) => void) {
    const world = new World(seed, 2 + (seed % 3), tell);
    this.#world = world;
    const { dice, games } = world;
    const count = dice.between(2, 7);
    this.#players = Array.from({ length: count }, (_, at) => {
      return new VirtualPlayer(`user${at}` as UserName, dice.pick(games) as VirtualGame, world);
    });
    this.#faults = new MatchFaults(world, this.#players);
    const users = this.#players.map(({ user }) => user);
    if (dice.chance(0.3)) new Spectator(users, world);
  }

  get told(): number {
    return this.#world.checks.toldEvents;
  }

  get counts(): World["counts"] {
    return this.#world.counts;
  }

  run(): void {
    const { time, dice } = this.#world;
    time.runFor(1_000);
    const endMs = time.nowMs + dice.between(3_000, 20_000);
    // Where faults are rare, the effects of one are not covered by those of the next.
    const paceMs = dice.pick([100, 400, 2_000, 6_000]) ?? 400;
    while (time.nowMs < endMs) {
      time.runFor(dice.between(1, paceMs));
      this.#faults.strike();
    }
    this.#recover();
  }

  #recover(): void {
    const { games, time, dice, arbiter, checks } = this.#world;
    this.#faults.end();
    const faultsEndMs = time.nowMs;
    const check = () => {
      this.#endLost();
      checks.checkDoubts(faultsEndMs);
      this.#checkPairs(faultsEndMs);
    };
    // In some runs the players go on for a while, and whoever wants a match must get one.
    const calmMs = dice.chance(0.3) ? dice.between(10_000, 60_000) : 0;
    for (let ms = 0; ms < calmMs; ms += 200) {
      time.runFor(200);
      check();
    }
    for (const player of this.#players) player.isLeaving = true;
    time.runFor(3_000);
    const endMs = time.nowMs + recoveryMs;
    while (arbiter.matches.opened().length > 0) {
      const left = () => JSON.stringify(arbiter.matches.opened());
      assertPromise(time.nowMs < endMs, "M7", `after ${recoveryMs} ms open: ${left()}`);
      time.runFor(200);
      check();
    }
    time.runFor(12_000);
    checks.checkQuiet(games);
    checks.checkLogs();
  }

  /** Two players that fit, and both wait, must get a match in time. */
  #checkPairs(faultsEndMs: number): void {
    const { time, arbiter } = this.#world;
    const waiting = this.#players.filter(({ waitingMs, isGone, isLeaving }) => {
      const sinceMs = Math.max(waitingMs ?? Number.POSITIVE_INFINITY, faultsEndMs);
      return !isGone && !isLeaving && time.nowMs - sinceMs > pairingMs;
    });
    const ratingOf = (user: UserName) => arbiter.matches.record(user).rating;
    for (const [at, one] of waiting.entries()) {
      const other = waiting.slice(at + 1).find(({ rules, user }) => {
        return rules === one.rules && Math.abs(ratingOf(user) - ratingOf(one.user)) <= 100;
      });
      const names = `${one.user} and ${other?.user}`;
      assertPromise(other === undefined, "M7", `${names} wait for ${pairingMs} ms`);
    }
  }

  /** An administrator ends the matches whose logs are lost. */
  #endLost(): void {
    const { arbiter, time, tell } = this.#world;
    for (const { match } of arbiter.matches.opened()) {
      if (!this.#isLost(match)) continue;
      tell(`an administrator ends ${match}, whose log is lost`);
      arbiter.endMatch(match, time.nowMs);
    }
  }

  /**
   * Whether no server has the whole log of the match any more, after a disk was lost: an
   * administrator must end the match.
   */
  #isLost(match: MatchId): boolean {
    const { arbiter, lostDisks } = this.#world;
    const open = arbiter.matches.open(match);
    if (open === undefined) return false;
    const host = this.#world.game(open.host);
    const shadow = open.shadow && this.#world.game(open.shadow);
    const holding = shadow?.core?.holdings.get(match);
    const hasCopy = holding !== undefined && holding.copy.termOfLog >= open.term - 1;
    return lostDisks.has(host) && host.core?.holdings.get(match) === undefined && !hasCopy;
  }
}
