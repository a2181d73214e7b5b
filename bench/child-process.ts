import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A process of the bench that runs one of its files, and ends with the bench. */
export class BenchProcess implements Disposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Starts a file. @returns the process, and the first message that it sent */
  static async start<Ready>(
    file: URL,
    ...args: readonly string[]
  ): Promise<{ started: BenchProcess; ready: Ready }> {
    const child = fork(fileURLToPath(file), args);
    const failed = once(child, "exit").then(([code]) => {
      throw new Error(`${file.pathname} ${args[0]} ended at once with ${code}`);
    });
    const [ready] = await Promise.race([once(child, "message"), failed]);
    return { started: new BenchProcess(child), ready };
  }

  send(message: readonly string[]): void {
    this.#child.send(message);
  }

  onMessage(hear: (message: unknown) => void): void {
    this.#child.on("message", hear);
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }
}

/** Ends the present process of the bench together with the bench, even if that was killed. */
export function endWithBench(): void {
  process.once("disconnect", () => process.exit());
}
