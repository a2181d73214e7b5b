import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { until } from "../support/until.ts";

export const cliFile = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

/** The environment variables by which a command finds a cluster. */
export function clusterVariables({ broker, proxy, reference }: Record<Endpoint, string>) {
  return { TERTULIA_BROKER: broker, TERTULIA_PROXY: proxy, TERTULIA_REFERENCE: reference };
}

type Endpoint = "broker" | "proxy" | "reference";

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process that runs `node dist/cli.js …`, in English and without colours. */
export class CliProcess implements Disposable {
  readonly child: ChildProcessWithoutNullStreams;
  stdout = "";
  stderr = "";
  readonly #ended: Promise<number | null>;

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const { PATH = "", HOME = "" } = process.env;
    this.child = spawn(process.execPath, [cliFile, ...args], {
      env: { PATH, HOME, LANG: "C.UTF-8", TZ: "UTC", ...env },
    });
    this.child.stdout.on("data", (chunk) => {
      this.stdout += String(chunk);
    });
    this.child.stderr.on("data", (chunk) => {
      this.stderr += String(chunk);
    });
    this.#ended = new Promise((resolve) => this.child.once("close", resolve));
  }

  /** Writes `input` as the whole input of the process, and waits until the process ends. */
  async end(input = ""): Promise<Ended> {
    // If the process ends without reading its input, the stream reports an error, which is no
    // failure.
    this.child.stdin.on("error", () => {});
    this.child.stdin.end(input);
    const code = await this.#ended;
    return { code, stdout: this.stdout, stderr: this.stderr };
  }

  saw(text: string): Promise<void> {
    return until(() => (this.stdout + this.stderr).includes(text), `the command prints ${text}`);
  }

  [Symbol.dispose](): void {
    this.child.kill("SIGKILL");
  }
}
