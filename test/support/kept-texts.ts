import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { engineAddress } from "../../src/platform/parse-engine.ts";
import { Settings } from "../../src/platform/settings.ts";
import { connectPrimary } from "../../src/server/engine/postgres/connect.ts";
import type { LocalCluster } from "../../src/trials/local-cluster.ts";

export interface KeptText {
  readonly text: string;
  /** The path of the file; undefined for a row. */
  readonly file?: string;
}

/** Returns the text of each file of a cluster, logs included, and of each row that its engine has. */
export async function keptTexts({ folder, engine }: LocalCluster): Promise<readonly KeptText[]> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({ file, text: readFileSync(file, "latin1") }));
  return engine === undefined ? files : [...files, ...(await rowsOf(engine))];
}

async function rowsOf(engine: string): Promise<readonly KeptText[]> {
  const password = new Settings({}, process.env).enginePasswordText;
  const place = { address: engineAddress(engine), password };
  const { client, close } = await connectPrimary(place);
  try {
    const { rows: tables } = await client.query<{ table: string }>(
      `select oid::regclass::text as table from pg_class
        where relkind = 'r' and relnamespace = current_schema()::regnamespace`,
    );
    const texts: KeptText[] = [];
    for (const { table } of tables) {
      const { rows } = await client.query<KeptText>(`select t::text as text from ${table} t`);
      texts.push(...rows);
    }
    return texts;
  } finally {
    close();
  }
}
