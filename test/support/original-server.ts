import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { python } from "./readme-python.ts";
import { until } from "./until.ts";

const program = fileURLToPath(new URL("./original_server.py", import.meta.url));

export interface OriginalEndpoints {
  readonly broker: string;
  readonly proxy: string;
  readonly reference: string;
}

/** A cluster of the original protocol, in Python. */
export class OriginalServer implements Disposable {
  readonly #child: ChildProcessWithoutNullStreams;
  #told = "";
  #problems = "";

  private constructor(args: readonly string[]) {
    this.#child = spawn(python ?? "python3", [program, ...args]);
    this.#child.stdout.on("data", (chunk) => {
      this.#told += String(chunk);
    });
    this.#child.stderr.on("data", (chunk) => {
      this.#problems += String(chunk);
    });
  }

  static async start(...args: string[]): Promise<OriginalServer> {
    const server = new OriginalServer(args);
    await until(() => server.#lines.length >= 1, "the endpoints of the original server");
    return server;
  }

  get endpoints(): OriginalEndpoints {
    return JSON.parse(this.#lines[0] ?? "{}");
  }

  get flags(): string[] {
    const { broker, proxy, reference } = this.endpoints;
    return ["--broker", broker, "--proxy", proxy, "--reference", reference];
  }

  /**
   * Ends the cluster. @returns how often each service was asked for; @throws Error with the
   * cluster's error output, if any
   */
  async counts(): Promise<Readonly<Record<string, number>>> {
    this.#child.stdin.end();
    await until(() => this.#lines.length >= 2, "what the original server was asked");
    if (this.#problems !== "") throw new Error(this.#problems);
    return JSON.parse(this.#lines[1] ?? "{}");
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }

  get #lines(): string[] {
    return this.#told.split("\n").slice(0, -1);
  }
}
