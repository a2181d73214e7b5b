import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import type { LocalClusterOptions } from "../../src/trials/local-cluster.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { CliProcess, clusterVariables, type Ended } from "./cli-process.ts";

/** A cluster with accounts, and a person at a shell. */
export class AccountsScene {
  cluster!: LocalCluster;
  /** Where the person's sessions are; every test has its own folder. */
  home!: TemporaryFolder;

  get env(): Record<string, string> {
    return {
      ...clusterVariables(this.cluster.endpoints),
      // Without an operator's secret, which would allow more than a person may.
      TERTULIA_DATA: join(this.home.path, "none"),
      XDG_STATE_HOME: this.home.path,
    };
  }

  get operator(): Record<string, string> {
    return { TERTULIA_DATA: this.cluster.folder };
  }

  async run(command: string, input?: string, more: object = {}): Promise<Ended> {
    using running = new CliProcess(command.split(" "), { ...this.env, ...more });
    return await running.end(input);
  }

  async account(user: string): Promise<void> {
    expect(await this.run(`register ${user}`, `${user}'s\n`)).toMatchObject({ code: 0 });
    expect(await this.run(`login ${user}`, `${user}'s\n`)).toMatchObject({ code: 0 });
  }

  /** Another machine of the person, which does not have the sessions of this one. */
  async changePassword(user: string): Promise<void> {
    await using elsewhere = await temporaryFolder();
    const passwords = `${user}'s\n${user}'s new\n`;
    const more = { XDG_STATE_HOME: elsewhere.path };
    const changed = await this.run(`password ${user}`, passwords, more);
    expect(changed).toMatchObject({ code: 0 });
  }
}

/** Set up for the tests of a file. */
export function accountsScene(options: LocalClusterOptions = {}): AccountsScene {
  const made = new AccountsScene();
  beforeAll(async () => {
    made.cluster = await LocalCluster.start({ servers: 1, auth: "required", ...options });
  }, 60_000);
  beforeEach(async () => {
    made.home = await temporaryFolder();
  });
  afterEach(() => made.home[Symbol.asyncDispose]());
  afterAll(() => made.cluster?.[Symbol.asyncDispose](), 30_000);
  return made;
}
