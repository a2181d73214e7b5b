import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import type { LocalClusterOptions } from "../../src/trials/local-cluster.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { CliProcess, clusterVariables, type Ended } from "./cli-process.ts";

/** A cluster with accounts, and the environment of a person who runs commands. */
export class AccountsScene {
  cluster!: LocalCluster;
  /** The folder of the person's sessions; each test has a new one. */
  home!: TemporaryFolder;

  get env(): Record<string, string> {
    return {
      ...clusterVariables(this.cluster.endpoints),
      // A folder without the cluster's secret, which would make the person an operator.
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

  /**
   * Changes the password with other session files, as from another machine. This ends the person's
   * sessions here.
   */
  async changePassword(user: string): Promise<void> {
    await using elsewhere = await temporaryFolder();
    const passwords = `${user}'s\n${user}'s new\n`;
    const more = { XDG_STATE_HOME: elsewhere.path };
    const changed = await this.run(`password ${user}`, passwords, more);
    expect(changed).toMatchObject({ code: 0 });
  }
}

/** A scene whose cluster starts before the tests of a file and stops after them. */
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
