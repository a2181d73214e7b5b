import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { pause } from "../../src/platform/clock.ts";
import { endAtExit, TemporaryFolder } from "../processes.ts";

const startMs = 20_000;
const retryMs = 100;

/** Returns why a program can't be measured; undefined if it is on the PATH. */
export function missingProgram(program: string): string | undefined {
  return versionOf(program) === undefined ? `${program} is not on the PATH.` : undefined;
}

/** Returns the major and minor version that `program --version` prints. */
export function versionOf(program: string): readonly [number, number] | undefined {
  try {
    const text = execFileSync(program, ["--version"], { encoding: "utf8" });
    const [, major, minor] = /(\d+)\.(\d+)\.\d+/.exec(text) ?? [];
    return [Number(major), Number(minor)];
  } catch {
    return undefined;
  }
}

/** Processes of another system, with their data in a temporary folder. */
export class Programs implements AsyncDisposable {
  readonly #folder: TemporaryFolder;
  readonly #children: ChildProcess[] = [];

  private constructor(folder: TemporaryFolder) {
    this.#folder = folder;
  }

  static async make(): Promise<Programs> {
    return new Programs(await TemporaryFolder.make());
  }

  path(name: string): string {
    return join(this.#folder.path, name);
  }

  start(program: string, ...args: readonly string[]): void {
    const child = spawn(program, args, { stdio: "ignore" });
    child.once("exit", endAtExit(child, "SIGKILL"));
    this.#children.push(child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    }
    await this.#folder[Symbol.asyncDispose]();
  }
}

/** Repeats an attempt until it succeeds. @throws the last error if the attempts take too long */
export async function untilReady<T>(attempt: () => Promise<T>): Promise<T> {
  const endMs = performance.now() + startMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > endMs) throw error;
      await pause(retryMs);
    }
  }
}
