import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { cliFile } from "../terminal/cli-process.ts";

const page = readFileSync("docs/teaching.md", "utf8");

/** The shell commands below each heading of the page. */
const blocks = new Map(
  page.split(/^## /m).map((part): [heading: string, commands: string[]] => {
    const [heading = ""] = part.split("\n", 1);
    return [heading, [...part.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, code = ""]) => code)];
  }),
);

/** A cluster as docs/teaching.md starts it, in whose folder the commands of the page's lessons run. */
export class Lessons implements AsyncDisposable {
  static readonly headings = [...blocks.keys()].filter((heading) => /^\d/.test(heading));
  readonly #folder: TemporaryFolder;
  readonly #cluster: LocalCluster;

  private constructor(folder: TemporaryFolder, cluster: LocalCluster) {
    this.#folder = folder;
    this.#cluster = cluster;
  }

  static async start(): Promise<Lessons> {
    const folder = await temporaryFolder();
    const at = (...names: string[]) => join(folder.path, ...names);
    await mkdir(at("bin"));
    const program = `#!/bin/sh\nexec "${process.execPath}" "${cliFile}" "$@"\n`;
    await writeFile(at("bin", "tertulia"), program, { mode: 0o755 });
    const cluster = await LocalCluster.start({ data: at("class") });
    const processes = cluster.of("server").map(({ ready, pid }) => {
      return { role: "server", name: ready?.name, pid };
    });
    await writeFile(at("class.json"), JSON.stringify({ ready: true, processes }));
    return new Lessons(folder, cluster);
  }

  /** Runs all commands of a lesson one after the other. @returns what they printed */
  async run(heading: string): Promise<string> {
    const [, functions = ""] = blocks.get("Before the lessons") ?? [];
    const commands = blocks.get(heading)?.join("") ?? "";
    const { broker, brokerBack, proxy, proxyIn, reference } = this.#cluster.endpoints;
    const { PATH = "" } = process.env;
    const shell = spawn("bash", ["-c", `${functions}${commands}\nwait`], {
      cwd: this.#folder.path,
      env: {
        PATH: `${join(this.#folder.path, "bin")}:${PATH}`,
        HOME: this.#folder.path,
        LANG: "C.UTF-8",
        TERTULIA_BROKER: broker,
        TERTULIA_BROKER_BACK: brokerBack,
        TERTULIA_PROXY: proxy,
        TERTULIA_PROXY_IN: proxyIn,
        TERTULIA_REFERENCE: reference,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let printed = "";
    for (const stream of [shell.stdout, shell.stderr]) {
      stream.on("data", (chunk) => {
        printed += String(chunk);
      });
    }
    await once(shell, "close");
    return printed;
  }

  /** A picture that the commands of a lesson have drawn. */
  picture(name: string): Promise<string> {
    return readFile(join(this.#folder.path, `${name}.svg`), "utf8");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cluster[Symbol.asyncDispose]();
    await this.#folder[Symbol.asyncDispose]();
  }
}
