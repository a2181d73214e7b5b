import type { Effect, Input, Record } from "../../../src/game/core/effects.ts";
import { GameCore } from "../../../src/game/core/game-core.ts";
import type { Chance } from "../../../src/game/core/invitations.ts";
import type { MatchEvent } from "../../../src/game/core/match-event.ts";
import type { GameName, MatchId } from "../../../src/protocol/matches.ts";
import { signer } from "./signer.ts";
import type { PlayerAsks } from "./virtual-player.ts";
import type { World } from "./world.ts";

/** A game server with a disk, in virtual time. */
export class VirtualGame {
  readonly name: GameName;
  /** What is on the disk. */
  disk = new Map<MatchId, MatchEvent[]>();
  core: GameCore | undefined;
  /** Players and spectators that have asked, and have no answer yet. */
  readonly asking = new Set<PlayerAsks>();
  /** The matches that were on the disk at some time. */
  readonly saved = new Set<MatchId>();
  /** Counts what the core has asked the disk to write. */
  records = 0;
  /** Inputs that arrived while the process was stopped; undefined while it runs. */
  frozen: Input[] | undefined;
  /** What the disk said meanwhile: a process that goes on may hear the network first. */
  #frozenStored: Input[] = [];
  #written: { readonly number: number; readonly record: Record }[] = [];
  #starts = 0;
  readonly #world: World;
  readonly #chance: Chance;

  constructor(name: GameName, chance: Chance, world: World) {
    this.name = name;
    this.#chance = chance;
    this.#world = world;
  }

  get isUp(): boolean {
    return this.core !== undefined;
  }

  /** Counts the starts, so that what belongs to an ended process is recognised. */
  get starts(): number {
    return this.#starts;
  }

  start(): void {
    this.#starts += 1;
    const { starts } = this;
    const { time } = this.#world;
    this.core = new GameCore(
      {
        self: this.name,
        start: `${this.name} ${starts}`,
        signer,
        chance: this.#chance,
        logs: structuredClone(this.disk),
      },
      this.#world.now(this),
    );
    this.take({ type: "known", games: this.#world.namesBut(this.name) });
    const tick = () => {
      if (this.starts !== starts || !this.isUp) return;
      if (this.frozen === undefined) this.take({ type: "tick" });
      time.after(50, tick);
    };
    tick();
  }

  /** Ends the process: connections break, and what was written last may not be on the disk. */
  kill(): void {
    this.core = undefined;
    for (const asks of this.asking) {
      this.#world.time.after(1, () => asks.answer({ refused: "unavailable" }));
    }
    this.asking.clear();
    this.frozen = undefined;
    this.#frozenStored = [];
    const kept = this.#world.dice.between(0, this.#written.length);
    for (const { record } of this.#written.splice(0).slice(0, kept)) this.#keep(record);
  }

  freeze(): void {
    this.frozen ??= [];
  }

  thaw(): void {
    const inputs = [...(this.frozen ?? []), ...this.#frozenStored.splice(0)];
    this.frozen = undefined;
    for (const input of inputs) this.take(input);
  }

  take(input: Input): void {
    if (this.core === undefined) return;
    const frozen = input.type === "stored" ? this.#frozenStored : this.frozen;
    if (this.frozen !== undefined) return void frozen?.push(input);
    for (const effect of this.core.step(input, this.#world.now(this))) this.#perform(effect);
    this.#world.checks.onStep(this);
  }

  #perform(effect: Effect): void {
    if (effect.type !== "store") return this.#world.perform(this, effect);
    const { number, record } = effect;
    const { starts } = this;
    this.records += 1;
    this.#written.push({ number, record });
    this.#world.time.after(this.#world.dice.between(0, this.#world.syncMs), () => {
      if (this.starts !== starts || !this.isUp) return;
      while ((this.#written[0]?.number ?? Number.POSITIVE_INFINITY) <= number) {
        this.#keep((this.#written.shift() as { record: Record }).record);
      }
      this.take({ type: "stored", upTo: number });
    });
  }

  #keep(record: Record): void {
    const { match } = record;
    if (record.type !== "forget") this.saved.add(match);
    if (record.type === "forget") this.disk.delete(match);
    else if (record.type === "replace") this.disk.set(match, [...record.events]);
    else this.disk.set(match, [...(this.disk.get(match) ?? []), ...record.events]);
  }
}
