import type { RequestId, ServerName, UserName } from "../../src/protocol/ids.ts";
import { assertPromise } from "../support/check-promises.ts";
import type { CoreCluster } from "../support/core-cluster.ts";
import type { VirtualServer } from "../support/virtual-server.ts";

interface Told {
  readonly name: UserName;
  readonly id: RequestId;
  readonly what: "won" | "taken";
  readonly byWhom: ServerName;
}

interface Granted {
  readonly name: UserName;
  readonly claim: { readonly server: ServerName; readonly seq: number };
  readonly byWhom: ServerName;
}

/**
 * What clients were told of names, against the sequential model of a name: the first claim that
 * takes effect owns it, forever (R10). So the answers fit together iff one id at most was told that
 * it won, none was told both, and whoever was told that the name is taken was told so of another.
 */
export class ClaimsModel {
  readonly #told: Told[] = [];
  readonly #granted: Granted[] = [];

  tell(told: Told): void {
    this.#told.push(told);
  }

  /** A login that was told that the name belongs to the account of this claim. */
  grant(granted: Granted): void {
    this.#granted.push(granted);
  }

  /** When all is well again: what was told holds on every replica. */
  check({ servers }: CoreCluster, up: readonly VirtualServer[]): void {
    const winners = new Map<UserName, RequestId>();
    for (const { name, id, what, byWhom } of this.#told) {
      if (what !== "won") continue;
      const other = winners.get(name) ?? id;
      const text = `${name} was given to ${other}, and by ${byWhom} to ${id}`;
      assertPromise(other === id, "R10", text);
      winners.set(name, id);
    }
    const known = new Map(
      servers.flatMap(({ core }) =>
        [...core.state.accounts.claims()].map((claim) => [at(claim), claim]),
      ),
    );
    for (const { core, name: server } of up) {
      const { accounts } = core.state;
      for (const [name, id] of winners) {
        // Its confirmation may have been lost with the coordinator; it counts all the same.
        const owner = accounts.holder(name)?.id;
        assertPromise(owner === id, "R10", `${server} has ${name} with ${owner}; ${id} won it`);
        const confirmed = accounts.owner(name)?.id ?? id;
        assertPromise(
          confirmed === id,
          "R10",
          `${server} confirms ${confirmed}; ${id} won ${name}`,
        );
      }
      for (const { name, id, what } of this.#told) {
        if (what !== "taken") continue;
        const holder = accounts.holder(name)?.id;
        const text = `${id} was told that ${name} is taken, and ${server} has it with ${holder}`;
        assertPromise(holder !== undefined && holder !== id, "E3", text);
      }
      for (const { name, claim, byWhom } of this.#granted) {
        const relied = known.get(at(claim))?.id;
        const owner = accounts.owner(name)?.id;
        const text = `${byWhom} let in by the claim of ${relied}; ${name} belongs to ${owner}`;
        assertPromise(relied !== undefined && relied === owner, "E3", text);
      }
    }
  }
}

function at({ server, seq }: { readonly server: ServerName; readonly seq: number }): string {
  return `${server}/${seq}`;
}
