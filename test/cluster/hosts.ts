import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";
import { until } from "../support/until.ts";
import { CliProcess, cliFile, type Ended } from "../terminal/cli-process.ts";

const page = readFileSync("docs/three-hosts.md", "utf8");
/** The lines of all blocks of shell commands of the page. */
const pageCommands = [...page.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, block = ""]) =>
  block.trimEnd().split("\n"),
);
const [, execStart = ""] =
  /^ExecStart=(.*)$/m.exec(readFileSync("ops/systemd/tertulia@.service", "utf8")) ?? [];

/** One line of the output of `status --json`. */
export interface StatusLine {
  readonly coordinator: string | null;
  readonly epoch: unknown;
  readonly problems: readonly { readonly kind: string; readonly name?: string }[];
  readonly view: { readonly number: number; readonly members: readonly string[] } | null;
  readonly processes: readonly {
    readonly name: string;
    readonly role: string;
    readonly rank: number;
    readonly address: string;
  }[];
}

/** Where the hosts are, if they are not addresses of this machine's loopback network. */
export interface Place {
  /** The first three numbers of the hosts' addresses. */
  readonly network: string;
  /** The command with which a host runs another command. */
  readonly inside: (name: string) => readonly string[];
  /** The folder for the processes' logs. */
  readonly logs: string;
}

/** As in the unit. */
const restartMs = 2_000;
const wrongSettings = 2;

/**
 * Hosts with addresses of this machine's loopback network, or in another place, which run the commands of the units and
 * of docs/three-hosts.md. Each host has a folder for `/etc/tertulia` and one for
 * `/var/lib/tertulia`.
 */
export class Hosts implements AsyncDisposable {
  readonly names = ["ana", "bia", "caio"] as const;
  /** The output of `tertulia init`. */
  steps = "";
  readonly #folder: TemporaryFolder;
  readonly #running = new Map<string, ChildProcess>();
  readonly #place: Place | undefined;
  readonly #network: string;

  private constructor(folder: TemporaryFolder, place: Place | undefined) {
    this.#folder = folder;
    this.#place = place;
    this.#network = place?.network ?? `127.${1 + ((process.pid >> 8) % 250)}.${process.pid % 256}`;
  }

  /**
   * Runs `tertulia init` as on the page, and starts the units that it names. In a given place, the
   * processes start again after their end, as under systemd.
   */
  static async start(place?: Place): Promise<Hosts> {
    const hosts = new Hosts(await temporaryFolder(), place);
    await mkdir(hosts.#at("bin"));
    const program = `#!/bin/sh\nexec "${process.execPath}" "${cliFile}" "$@"\n`;
    await writeFile(hosts.#at("bin", "tertulia"), program, { mode: 0o755 });
    hosts.steps = (await hosts.run("tertulia init")).stdout;
    for (const name of hosts.names) hosts.startAll(name);
    return hosts;
  }

  address(name: string): string {
    return `${this.#network}.${1 + (this.names as readonly string[]).indexOf(name)}`;
  }

  /** The public key by which people's computers recognise the cluster. */
  get publicKey(): string {
    return readFileSync(this.#at("cluster", "client", "server.key"), "utf8").trim();
  }

  /** The folder that stands for `/var/lib/tertulia`. */
  data(name: string): string {
    return this.#at("var", name);
  }

  /** The units that `init` says to enable on a host. */
  units(name: string): string[] {
    const after = this.steps.slice(this.steps.indexOf(`(${this.address(name)})`));
    const [command = ""] = /^ {2}sudo systemctl enable .*$/m.exec(after) ?? [];
    return [...command.matchAll(/tertulia@(\w+)/g)].map(([, role = ""]) => role);
  }

  startAll(name: string): void {
    for (const role of this.units(name)) this.startUnit(name, role);
  }

  /** Runs the command of `tertulia@ROLE` on a host. */
  startUnit(name: string, role: string): void {
    const command = this.#translated(execStart.replaceAll("%i", role), name);
    const unit = `${name} ${role}`;
    const log = this.#place && openSync(join(this.#place.logs, `${unit}.log`), "a");
    const [program, ...args] = this.#shell(name, `exec ${command}`);
    const child = spawn(program, args, {
      env: { ...this.#env, TERTULIA_DATA: this.data(name), TERTULIA_LOG_LEVEL: "warn" },
      stdio: ["ignore", "ignore", log ?? "inherit"],
    });
    this.#running.set(unit, child);
    if (log === undefined) return;
    closeSync(log);
    const isOn = () => this.#running.get(unit) === child;
    child.once("exit", (code) => {
      if (code === wrongSettings) return;
      setTimeout(() => isOn() && this.startUnit(name, role), restartMs);
    });
  }

  /** Sends a signal to some or all processes of a host, and waits until they have ended. */
  async end(name: string, signal: "SIGTERM" | "SIGKILL", only?: string): Promise<void> {
    const ending = [...this.#running].filter(([unit]) =>
      only === undefined ? unit.startsWith(`${name} `) : unit === `${name} ${only}`,
    );
    await Promise.all(
      ending.map(async ([unit, child]) => {
        this.#running.delete(unit);
        if (child.exitCode !== null || child.signalCode !== null) return;
        const exited = once(child, "exit");
        child.kill(signal);
        await exited;
      }),
    );
  }

  /** `sudo systemctl restart tertulia.target` on a host, and the page's wait for its server. */
  async restart(name: string): Promise<void> {
    const roles = [...this.#running.keys()].filter((unit) => unit.startsWith(`${name} `));
    await this.end(name, "SIGTERM");
    for (const unit of roles) this.startUnit(name, unit.slice(name.length + 1));
    await this.serves(name);
  }

  /** Waits until the page's `health` command succeeds on a host. */
  async serves(name: string): Promise<void> {
    const [, health = ""] =
      /^until (.*?); do /.exec(pageCommands.find((line) => line.startsWith("until ")) ?? "") ?? [];
    const isReady = async () => (await this.#call(health, name)).code === 0;
    await until(isReady, `the server of ${name} is ready`, 60_000);
  }

  /**
   * Runs the first command of the page that contains a text.
   * @param options `on`: the host whose settings the command uses; `change`: makes another command
   * of it
   */
  run(
    text: string,
    options: { on?: string; input?: string; change?: (command: string) => string } = {},
  ): Promise<Ended> {
    const command = pageCommands.find((line) => line.includes(text));
    if (command === undefined) throw new Error(`the page has no command with ${text}`);
    const { change = (same: string) => same, on = "ana", input } = options;
    return this.#call(change(command), on, input);
  }

  /** Runs a command with the settings that people have. */
  asPerson(args: readonly string[]): Promise<Ended> {
    const config = this.#at("cluster", "client", "tertulia.yaml");
    return new CliProcess([...args, "--config", config], this.#env).end();
  }

  async status(): Promise<StatusLine> {
    const { code, stdout, stderr } = await this.asPerson(["status", "--json"]);
    if (stdout === "") throw new Error(`status ended with exit code ${code}: ${stderr}`);
    return JSON.parse(stdout) as StatusLine;
  }

  /** Returns the name of a host's server, while it runs. */
  async serverOf(host: string): Promise<string> {
    const { processes } = await this.status();
    const address = this.address(host);
    const found = processes.find((one) => one.role === "server" && one.address.includes(address));
    if (found === undefined) throw new Error(`status names no server of ${host}`);
    return found.name;
  }

  /** Waits until `status` of a host finds no problem. */
  async areHealthy(): Promise<void> {
    const isHealthy = async () => (await this.run("tertulia status")).code === 0;
    await until(isHealthy, "the cluster is healthy", 60_000);
  }

  /** Edits the settings of all hosts and of people by the page's `sed` command. */
  async nameReference(name: string): Promise<void> {
    const client = this.#at("cluster", "client", "tertulia.yaml");
    for (const on of this.names) await this.run("sudo sed", { on, change: this.#pointing(name) });
    await this.run("sudo sed", {
      change: (command) => this.#pointing(name)(command).replace(/\S+$/, client),
    });
  }

  /** Copies the reference's folder from one host to another. */
  copyReference(from: string, to: string): void {
    const packed = this.#at("reference.tar");
    const pack = pageCommands.find((line) => line.startsWith("sudo tar")) ?? "";
    const [, unpack = ""] = /`sudo (tar -x[^`]*)`/.exec(page.replace(/\n +/g, " ")) ?? [];
    for (const [command, name] of [
      [pack, from],
      [unpack, to],
    ] as const) {
      const script = command.replace("sudo ", "").replace("reference.tar", packed);
      execFileSync("/bin/sh", ["-c", this.#translated(script, name)]);
    }
  }

  /**
   * Installs the keys of a host's gateway by the page's commands, and starts the gateway. Meanwhile
   * the host has no secret, because a gateway's user can't read it.
   */
  async startGateway(name: string): Promise<void> {
    const from = this.#at("cluster", "gateway");
    const installs = pageCommands.filter((line) =>
      /^sudo install .*(?:gateway|server)\.key/.test(line),
    );
    for (const line of installs) {
      const command = line.replace(/ -o \S+/, "");
      execFileSync("/bin/sh", ["-c", this.#translated(command, name)], { cwd: from });
    }
    const [secret, hidden] = [this.#at("cluster", name, "secret"), this.#at(`${name}-secret`)];
    await rename(secret, hidden);
    this.startUnit(name, "gateway");
    const isReady = async () => (await this.gatewayOf(name, "/readyz"))?.status === 200;
    await until(isReady, `the gateway of ${name} is ready`, 60_000);
    await rename(hidden, secret);
  }

  /** Asks a host's gateway; undefined if nothing answers. */
  gatewayOf(name: string, path: string, request: RequestInit = {}): Promise<Response | undefined> {
    const url = `http://${this.address(name)}:8080${path}`;
    return fetch(url, request).catch(() => undefined);
  }

  /** Deletes the data of a host whose processes have ended. */
  async loseData(name: string): Promise<void> {
    await rm(this.data(name), { recursive: true });
  }

  #pointing(name: string) {
    return (command: string) => command.replace(/tcp:\/\/[\d.]+/, `tcp://${this.address(name)}`);
  }

  get #env() {
    const { PATH = "" } = process.env;
    return { PATH: `${this.#at("bin")}:${PATH}`, HOME: this.#folder.path, LANG: "C.UTF-8" };
  }

  #at(...names: string[]): string {
    return join(this.#folder.path, ...names);
  }

  /** Puts this scene's folders and addresses into a command of the page or of a unit. */
  #translated(command: string, name: string): string {
    return command
      .replace(/^sudo (?:-u \S+ )?/, "")
      .replaceAll("/etc/tertulia", this.#at("cluster", name))
      .replaceAll("/var/lib/tertulia", this.data(name))
      .replaceAll("../cluster", this.#at("cluster"))
      .replace(/=10\.0\.0\.(\d)/g, `=${this.#network}.$1`);
  }

  /** Returns the command that runs a script on a host. */
  #shell(name: string, script: string): [string, ...string[]] {
    const [program = "/bin/sh", ...args] = [...(this.#place?.inside(name) ?? []), "/bin/sh"];
    return [program, ...args, "-c", script];
  }

  #call(command: string, name: string, input?: string): Promise<Ended> {
    const [program, ...args] = this.#shell(name, this.#translated(command, name));
    const child = spawn(program, args, { env: this.#env });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk) => {
      stdout += String(chunk);
    });
    child.stderr.on("data", (chunk) => {
      stderr += String(chunk);
    });
    child.stdin.on("error", () => {});
    child.stdin.end(input ?? "");
    return new Promise((resolve) => {
      child.once("close", (code) => resolve({ code, stdout, stderr }));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of this.names) await this.end(name, "SIGKILL");
    await this.#folder[Symbol.asyncDispose]();
  }
}
