import { engineAddress } from "../../platform/parse-engine.ts";
import { connectPrimary } from "../../server/engine/postgres/connect.ts";
import type { Change } from "./core/changes.ts";
import type { Observations } from "./core/checker.ts";
import { grouped } from "./core/names.ts";
import { changedIn, KnownPasswords, type SavedAccount } from "./final-state.ts";

interface SavedOperation {
  readonly by: string;
  readonly id: string;
  readonly slot: number;
  readonly outcome: string;
}

/** Returns what an engine says of the accounts, as the only replica that there is. */
export async function engineState(
  url: string,
  changes: readonly Change[],
): Promise<Pick<Observations, "accounts" | "changed">> {
  const { client, close } = await connectPrimary({
    address: engineAddress(url),
    password: undefined,
  });
  try {
    const { rows: accounts } = await client.query<SavedAccount>(
      'select name as "user", id, credential, locked from accounts',
    );
    const { rows: asked } = await client.query<SavedOperation>(
      "select by, id, slot, outcome from operations",
    );
    const operations = new Map(
      // An engine forgets no operation.
      [...grouped(asked, ({ by }) => by)].map(([by, kept]) => [by, { kept, floor: 0 }]),
    );
    const replica = "the engine";
    const changed = { replica, operations, ...changedIn(accounts, new KnownPasswords(changes)) };
    return { accounts: [{ replica, accounts }], changed: [changed] };
  } finally {
    close();
  }
}
