import { createHash } from "node:crypto";
import { engineAddress } from "../platform/parse-engine.ts";
import { Settings } from "../platform/settings.ts";
import { connectPrimary } from "../server/engine/postgres/connect.ts";

/** An engine's database for one trial. Its user must be allowed to make databases. */
export class TrialDatabase implements AsyncDisposable {
  /** Whether the environment variable `TERTULIA_TEST_ENGINE` names an engine. */
  static readonly isConfigured = !!process.env.TERTULIA_TEST_ENGINE;
  /** The address, as the setting `engine` expects it. */
  readonly url: string;
  readonly #adminUrl: string;
  readonly #name: string;

  private constructor(adminUrl: string, name: string) {
    this.#adminUrl = adminUrl;
    this.#name = name;
    // Replaces the database's name in the address.
    this.url = adminUrl.replace(/[^/?]*(?=$|\?)/, name);
  }

  /**
   * Makes the database of a data folder, or opens it if an earlier cluster with this folder has made
   * it. Uses the engine that the environment variable `TERTULIA_TEST_ENGINE` names.
   * @returns undefined if there is no such variable
   */
  static async of(folder: string): Promise<TrialDatabase | undefined> {
    const adminUrl = process.env.TERTULIA_TEST_ENGINE;
    if (!adminUrl) return undefined;
    const hash = createHash("sha256").update(folder).digest("hex");
    const database = new TrialDatabase(adminUrl, `trial_${hash.slice(0, 16)}`);
    await database.#run(`create database ${database.#name}`).catch((error: { code?: string }) => {
      const exists = "42P04";
      if (error.code !== exists) throw error;
    });
    return database;
  }

  /** Drops the database, also if there are connections to it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#run(`drop database if exists ${this.#name} with (force)`);
  }

  async #run(statement: string): Promise<void> {
    const password = new Settings({}, process.env).enginePasswordText;
    const primary = await connectPrimary({ address: engineAddress(this.#adminUrl), password });
    try {
      await primary.client.query(statement);
    } finally {
      primary.close();
    }
  }
}
