import type { VirtualGame } from "./virtual-game.ts";
import type { VirtualPlayer } from "./virtual-player.ts";
import type { World } from "./world.ts";

/** The messages of one commit, in their order. */
const phases = ["propose", "ack", "check", "checked", "commit", "committed"] as const;

/** Makes random faults of game servers, of their network and of the cluster. */
export class MatchFaults {
  readonly #world: World;
  readonly #players: readonly VirtualPlayer[];
  /** The share of strikes at disks that destroy one. */
  readonly #diskLoss: number;
  readonly #kinds: readonly ((game: VirtualGame) => void)[];
  #isMuted = false;

  constructor(world: World, players: readonly VirtualPlayer[]) {
    this.#world = world;
    this.#players = players;
    const { dice } = world;
    world.loss = dice.pick([0, 0, 0, 0.02, 0.1]) ?? 0;
    world.repeats = dice.pick([0, 0.05]) ?? 0;
    world.overtakes = dice.pick([0, 0, 0.05, 0.3]) ?? 0;
    world.delayMs = dice.pick([2, 5, 40]) ?? 5;
    world.syncMs = dice.pick([1, 4, 30]) ?? 4;
    world.forger.share = dice.pick([0, 0.1, 0.3]) ?? 0;
    this.#diskLoss = dice.pick([0.1, 0.2, 0.6]) ?? 0.2;
    this.#kinds = this.#chosen();
  }

  strike(): void {
    const { games, dice, cuts } = this.#world;
    // In each run some kinds of faults are absent, because some bugs show only then.
    const strike = dice.pick(this.#kinds);
    const game = dice.pick(games) as VirtualGame;
    strike?.(game);
    if (dice.chance(0.2)) cuts.clear();
  }

  #chosen(): readonly ((game: VirtualGame) => void)[] {
    const { dice, forger } = this.#world;
    const kinds: readonly ((game: VirtualGame) => void)[] = [
      (game) => this.#kill(game),
      (game) => this.#freeze(game),
      (game) => this.#cut(game),
      () => this.#pause(),
      (game) => dice.chance(this.#diskLoss) && this.#destroy(game),
      () => dice.chance(0.1) && this.#sendAway(),
      () => this.#mute(),
      () => forger.strike(),
      () => dice.chance(0.2) && this.#endMatch(),
    ];
    // These commits shall be rolled back, so no other fault may end them first.
    if (dice.chance(0.2)) return [() => this.#mute()];
    return kinds.filter(() => dice.chance(0.6));
  }

  /** Ends all faults, and starts what does not run. */
  end(): void {
    const { games, cuts } = this.#world;
    this.#world.tell("the faults stop");
    cuts.clear();
    this.#world.decides = true;
    this.#world.loss = 0;
    this.#world.repeats = 0;
    this.#world.overtakes = 0;
    this.#world.loses = () => false;
    for (const game of games) {
      this.#start(game);
      game.thaw();
    }
  }

  #kill(game: VirtualGame): void {
    const { time, dice, tell } = this.#world;
    if (!game.isUp) return;
    tell(`${game.name} is killed`);
    game.kill();
    time.after(dice.pick([50, 1_000, 4_000]) ?? 50, () => this.#start(game));
  }

  #start(game: VirtualGame): void {
    if (game.isUp) return;
    game.start();
    this.#world.forger.onStart(game);
  }

  #freeze(game: VirtualGame): void {
    const { time, dice, tell } = this.#world;
    if (!game.isUp) return;
    tell(`${game.name} is stopped`);
    game.freeze();
    time.after(dice.pick([500, 2_000, 4_000]) ?? 500, () => game.thaw());
  }

  #cut(game: VirtualGame): void {
    const { games, dice, cuts, tell } = this.#world;
    const other = dice.pick(games) as VirtualGame;
    tell(`${game.name} no longer reaches ${other.name}`);
    cuts.add(`${game.name} ${other.name}`);
    if (dice.chance(0.6)) cuts.add(`${other.name} ${game.name}`);
  }

  /** The cluster decides nothing until the next strike of this kind. */
  #pause(): void {
    this.#world.decides = !this.#world.decides;
    this.#world.tell(`the cluster ${this.#world.decides ? "decides again" : "decides nothing"}`);
  }

  /** A player goes away for good. */
  #sendAway(): void {
    const player = this.#world.dice.pick(this.#players);
    if (player !== undefined) player.isGone = true;
  }

  /** For a while the network loses one phase of all commits, although servers hear each other. */
  #mute(): void {
    const { time, dice, tell } = this.#world;
    if (this.#isMuted) return;
    this.#isMuted = true;
    const type = dice.pick(phases);
    tell(`the network loses each ${type}`);
    this.#world.loses = (message) => message.type === type;
    time.after(dice.pick([500, 2_000, 6_000, 7_000]) ?? 500, () => {
      this.#isMuted = false;
      this.#world.loses = () => false;
    });
  }

  #destroy(game: VirtualGame): void {
    const { time, lostDisks, counts, tell } = this.#world;
    if (!game.isUp) return;
    tell(`${game.name} is killed, and its disk is lost`);
    game.kill();
    game.disk.clear();
    lostDisks.add(game);
    counts["lost disks"] += 1;
    time.after(500, () => this.#start(game));
  }

  #endMatch(): void {
    const { arbiter, dice, time, tell, decides } = this.#world;
    const open = dice.pick(arbiter.matches.opened());
    if (open === undefined || !decides) return;
    tell(`an administrator ends ${open.match}`);
    arbiter.endMatch(open.match, time.nowMs);
  }
}
