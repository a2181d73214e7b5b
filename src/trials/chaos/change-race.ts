import { Connection } from "../../client/connection.ts";
import type { Session } from "../../client/session.ts";
import { pause } from "../../platform/clock.ts";
import { type Random, randomHex } from "../../platform/random.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { parseUserName, type UserName } from "../../protocol/ids.ts";
import { type Change, firstPassword } from "./core/changes.ts";
import type { Racer } from "./name-race.ts";

export interface ChangeRaceOptions {
  readonly brokers: readonly string[];
  readonly racers: readonly Racer[];
  /** A token that makes the racers administrators. */
  readonly operator: string;
  readonly random: Random;
}

interface Runner extends Racer {
  readonly user: UserName;
  /** Locks accounts. */
  readonly session: Session;
  /** Changes passwords; each change grants this session the rights of another owner. */
  readonly guest: Session;
  readonly connection: Connection;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
type OpenChange = Mutable<Change> & { told: number[] };

const patienceMs = 60_000;
const impatienceMs = 2_500;
const racersAtOnce = 3;
/** Servers hash each password, and take only so many attempts over one connection (A9). */
const passwordsPerSecond = 0.5;
const locksPerSecond = 4;
const lockedUsers = ["lock-1", "lock-2", "lock-3"].map((name) => parseUserName(name));
/** The most open requests of one racer. */
const mostOpen = 20;
/** The share of changes that are sent again, like by a client that missed the answer. */
const againPart = 0.25;
const againMs = 2_000;
/** The most milliseconds for which the race waits for open changes after healing. */
const finishMs = 60_000;

/**
 * Administrators who lock and unlock the same accounts at the same time, and who change the same
 * passwords: of those who know one old password, only one may succeed.
 */
export class ChangeRace {
  readonly changes: OpenChange[] = [];
  readonly #options: ChangeRaceOptions;
  #runners: readonly Runner[] = [];
  readonly #connections: Connection[] = [];
  readonly #stopping = new AbortController();
  readonly #givingUp = new AbortController();
  readonly #open = new Set<Promise<void>>();
  #lanes: Promise<unknown> = Promise.resolve();

  constructor(options: ChangeRaceOptions) {
    this.#options = options;
  }

  /** Makes the accounts. */
  async prepare(): Promise<void> {
    const { racers, operator } = this.#options;
    const operating = this.#connect(patienceMs).session({ token: operator });
    for (const user of lockedUsers) await operating.register(user, firstPassword);
    const runners: Runner[] = [];
    for (const racer of racers) {
      const user = parseUserName(racer.name);
      await operating.register(user, firstPassword);
      await operating.ask("account", { user, administrator: true });
      const connection = this.#connect(racer.isImpatient === true ? impatienceMs : patienceMs);
      const session = connection.session();
      await session.login(user, firstPassword);
      runners.push({ ...racer, user, connection, session, guest: connection.session() });
    }
    this.#runners = runners;
  }

  start(): void {
    this.#lanes = Promise.all([
      this.#keepOn(passwordsPerSecond, (number) => this.#racePassword(number)),
      this.#keepOn(locksPerSecond, () => this.#lock()),
    ]);
  }

  /** Ends the race. Waits until every change is decided, but at most `finishMs`. */
  async finish(): Promise<void> {
    this.#stopping.abort();
    await this.#lanes;
    const timer = setTimeout(() => this.#givingUp.abort(), finishMs);
    while (this.#open.size > 0) await Promise.all(this.#open);
    clearTimeout(timer);
  }

  close(): void {
    this.#stopping.abort();
    this.#givingUp.abort();
    for (const connection of this.#connections.splice(0)) connection.close();
  }

  #connect(deadlineMs: number): Connection {
    const { brokers } = this.#options;
    const connection = new Connection({ brokers, proxies: [], deadlineMs });
    this.#connections.push(connection);
    return connection;
  }

  async #keepOn(perSecond: number, begin: (number: number) => Promise<void>): Promise<void> {
    const { random } = this.#options;
    for (let number = 1; !this.#stopping.signal.aborted; number += 1) {
      const open = begin(number);
      this.#open.add(open);
      void open.finally(() => this.#open.delete(open));
      await pause((2_000 / perSecond) * random(), this.#stopping.signal);
    }
  }

  /** Lets some racers change the same password of a new account. */
  async #racePassword(number: number): Promise<void> {
    const [first, ...others] = this.#drawn(racersAtOnce);
    if (first === undefined) return;
    const user = parseUserName(`owner-${number}`);
    try {
      await first.guest.register(user, firstPassword);
    } catch (error) {
      if (error instanceof ProtocolError) return;
      throw error;
    }
    const racing = [first, ...others].map((runner) => {
      const newPassword = randomHex(8);
      const change = this.#noted(runner, { kind: "password", user, by: user, value: newPassword });
      const data = { user, password: firstPassword, newPassword };
      return this.#decided(change, runner, (id) => runner.guest.ask("password", data, { id }));
    });
    await Promise.all(racing);
  }

  async #lock(): Promise<void> {
    const { random } = this.#options;
    const [runner] = this.#drawn(1);
    const user = lockedUsers[Math.floor(lockedUsers.length * random())];
    if (runner === undefined || user === undefined) return;
    const isLocked = random() < 0.5;
    const value = isLocked ? "locked" : "unlocked";
    const change = this.#noted(runner, { kind: "lock", user, by: runner.user, value });
    const data = { user, locked: isLocked };
    await this.#decided(change, runner, (id) => runner.session.ask("account", data, { id }));
  }

  #noted(
    { name, session }: Runner,
    change: Pick<Change, "kind" | "user" | "by" | "value">,
  ): OpenChange {
    const noted = { ...change, client: name, id: session.newId(), told: [], isGivenUp: false };
    this.changes.push(noted);
    return noted;
  }

  async #decided(
    change: OpenChange,
    { isImpatient = false }: Runner,
    ask: (id: never) => Promise<{ readonly slot?: number | undefined }>,
  ): Promise<void> {
    const { random } = this.#options;
    for (let left = random() < againPart ? 2 : 1; left > 0; left -= 1) {
      const isDecided = await this.#asked(change, ask, isImpatient);
      if (!isDecided) return;
      if (left > 1) await pause(againMs * random(), this.#givingUp.signal);
    }
  }

  /** @returns whether the client was told that the change is done */
  async #asked(
    change: OpenChange,
    ask: (id: never) => Promise<{ readonly slot?: number | undefined }>,
    isImpatient: boolean,
  ): Promise<boolean> {
    do {
      try {
        const { slot = 0 } = await ask(change.id as never);
        change.told.push(slot);
        return true;
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        if (!error.retry) {
          // Of a change that was told long ago, the log keeps only that it is over (D9).
          const isOver = error.code === "expired" && change.told.length > 0;
          if (!isOver) change.refused = error.reason ?? error.code;
          return false;
        }
        change.isGivenUp = isImpatient && change.told.length === 0;
      }
    } while (!isImpatient && !this.#givingUp.signal.aborted);
    return false;
  }

  #drawn(count: number): Runner[] {
    const { random } = this.#options;
    const left = this.#runners.filter(({ connection }) => connection.open < mostOpen);
    while (left.length > count) left.splice(Math.floor(random() * left.length), 1);
    return left;
  }
}
