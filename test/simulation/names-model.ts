import type { RequestId, ServerName, UserName } from "../../src/protocol/ids.ts";
import { looksOf } from "../../src/protocol/looks.ts";
import type { Account } from "../../src/server/core/accounts/accounts.ts";
import { assertPromise } from "../support/check-promises.ts";
import type { VirtualServer } from "../support/virtual-server.ts";
import { hashOf } from "../support/virtual-surroundings.ts";

/** A logical claim. The same id with another password is a different claim. */
interface Claimed {
  readonly name: UserName;
  readonly id: RequestId;
  readonly password: string;
}

interface Told extends Claimed {
  readonly what: "won" | "taken";
  readonly byWhom: ServerName;
}

interface Granted {
  readonly name: UserName;
  /** The id of the operation that made the account. */
  readonly id: RequestId;
  readonly byWhom: ServerName;
}

/**
 * Checks the answers to claims against a sequential model: the first claim that takes effect owns
 * the name, and all names that look the same, forever (R10). The answers are consistent if at
 * most one claim of a name was answered as won, no claim got both answers, and each claim that was
 * refused as taken was refused because of a different claim.
 */
export class NamesModel {
  readonly #told: Told[] = [];
  readonly #granted: Granted[] = [];

  tell(told: Told): void {
    this.#told.push(told);
  }

  /** Records a login that was answered with this account. */
  grant(granted: Granted): void {
    this.#granted.push(granted);
  }

  /** Checks, when all faults are over, that the answers hold on every replica. */
  check(up: readonly VirtualServer[]): void {
    const winners = new Map<string, Claimed>();
    for (const told of this.#told) {
      if (told.what !== "won") continue;
      const [look = ""] = looksOf(told.name);
      const other = winners.get(look) ?? told;
      const text = `${written(other)} has it, and ${told.byWhom} gives it to ${written(told)}`;
      const rule = other.name === told.name ? "R10" : "D5";
      assertPromise(written(other) === written(told), rule, text);
      winners.set(look, told);
    }
    for (const { core, name: server } of up) {
      const { accounts } = core;
      for (const winner of winners.values()) {
        const owner = accounts.owner(winner.name);
        const text = `${written(winner)} won, and ${server} has ${owner?.id}`;
        assertPromise(isOf(owner, winner), "R10", text);
      }
      for (const told of this.#told) {
        if (told.what !== "taken") continue;
        const owner = accounts.owner(told.name) ?? accounts.ownerWith(looksOf(told.name));
        const text = `${written(told)} was told that it is taken, and ${server} has ${owner?.id}`;
        assertPromise(owner !== undefined && !isOf(owner, told), "R10", text);
      }
      const owned = new Map<string, UserName>();
      for (const { user } of accounts.all()) {
        const [look = ""] = looksOf(user);
        const other = owned.get(look) ?? user;
        assertPromise(other === user, "D5", `${server} has accounts of ${other} and of ${user}`);
        owned.set(look, user);
      }
      for (const { name, id, byWhom } of this.#granted) {
        const owner = accounts.owner(name)?.id;
        const text = `${byWhom} let in by the account of ${id}; ${name} belongs to ${owner}`;
        assertPromise(id === owner, "R10", text);
      }
    }
  }
}

function written({ name, id, password }: Claimed): string {
  return `${name}, ${id}, ${password}`;
}

function isOf(account: Account | undefined, { name, id, password }: Claimed): boolean {
  return account?.user === name && account.id === id && account.credential === hashOf(password);
}
