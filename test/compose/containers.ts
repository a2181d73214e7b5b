import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { until } from "../support/until.ts";

interface Ports {
  readonly web: number;
  readonly broker: number;
  readonly proxy: number;
  readonly reference: number;
  readonly game1: number;
  readonly game2: number;
  readonly mqtt1: number;
  readonly mqtt2: number;
}

const run = promisify(execFile);
/** The longest that a command of Docker may take, in ms; a build takes a minute. */
const commandMs = 600_000;
/** The longest until `status` says what is the case, in ms. */
const statusMs = 120_000;

/** What to start of docker-compose.yml. */
export interface Scope {
  readonly profiles: readonly string[];
  /** The address of the engine, if the servers have one. */
  readonly engine?: string;
  /** The address of the Redis beside it. */
  readonly redis?: string;
}

/** The containers of docker-compose.yml, with a project and volumes of their own. */
export class Containers {
  readonly #project: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #profiles: readonly string[];

  constructor(project: string, ports: Ports, { profiles, engine = "", redis = "" }: Scope) {
    this.#project = project;
    this.#profiles = profiles.flatMap((profile) => ["--profile", profile]);
    this.#env = {
      ...process.env,
      TERTULIA_BROKER_PORT: String(ports.broker),
      TERTULIA_PROXY_PORT: String(ports.proxy),
      TERTULIA_REFERENCE_PORT: String(ports.reference),
      TERTULIA_ENGINE: engine,
      TERTULIA_REDIS: redis,
      TERTULIA_WEB_PORT: String(ports.web),
      TERTULIA_GAME_PORT: String(ports.game1),
      TERTULIA_GAME2_PORT: String(ports.game2),
      TERTULIA_MQTT_PORT: String(ports.mqtt1),
      TERTULIA_MQTT2_PORT: String(ports.mqtt2),
    };
  }

  /** Starts what is missing, and waits until all containers are healthy. */
  async up(...flags: readonly string[]): Promise<void> {
    await this.#compose("up", "-d", "--build", "--wait", ...flags);
  }

  /** Stops and removes the containers; the volumes stay. */
  async down(): Promise<void> {
    await this.#compose("down");
  }

  async remove(): Promise<void> {
    await this.#compose("down", "--volumes", "--timeout", "5");
  }

  /** Kills containers by SIGKILL. Docker does not start them again. */
  async kill(...names: readonly string[]): Promise<void> {
    await run("docker", ["kill", ...names.map((name) => `${this.#project}-${name}`)]);
  }

  /** Runs a command in the container of a service. @returns what it has printed */
  async exec(service: string, ...command: readonly string[]): Promise<string> {
    return (await this.#compose("exec", "-T", service, ...command)).trim();
  }

  /** @throws Error without the text, if a log or what Docker shows of a container has it */
  async expectUnseen(text: string): Promise<void> {
    const ids = (await this.#compose("ps", "--all", "--quiet")).trim().split("\n");
    const { stdout } = await run("docker", ["inspect", ...ids], { maxBuffer: 2 ** 28 });
    const logs = await this.#compose("logs", "--no-color");
    if (`${stdout}${logs}`.includes(text)) throw new Error("it is seen");
  }

  /**
   * Waits until `tertulia status` of the first server lists problems of these kinds and no others.
   */
  async reports(kinds: readonly string[]): Promise<void> {
    const wanted = kinds.toSorted().join();
    let found = "";
    await until(
      async () => {
        found = (await this.#problems()).toSorted().join();
        return found === wanted;
      },
      `status lists ${wanted || "no problem"}`,
      statusMs,
    ).catch((error: Error) => {
      throw new Error(`${error.message}; it lists ${found || "none"}`);
    });
  }

  async expectNoWarnings(): Promise<void> {
    const lines = (await this.#compose("logs", "--no-color")).split("\n");
    const warnings = lines.filter((line) => /\(node:\d+\)/.test(line));
    if (warnings.length > 0) throw new Error(warnings.slice(0, 5).join("\n"));
  }

  /** Prints the state of all containers, and the end of their logs. */
  async tell(): Promise<void> {
    process.stderr.write(await this.#compose("ps", "--all"));
    process.stderr.write(await this.#compose("logs", "--no-color", "--tail", "5"));
  }

  async #problems(): Promise<string[]> {
    const command = ["node", "dist/cli.js", "status", "--json"];
    // The exit code is 1 if there are problems.
    const asked = this.#compose("exec", "-T", "--index", "1", "server", ...command);
    const text = await asked.catch((error: { stdout?: string }) => error.stdout ?? "");
    if (text === "") return ["noAnswer"];
    const { problems } = JSON.parse(text) as { problems: { kind: string }[] };
    return problems.map(({ kind }) => kind);
  }

  /** @returns what the command has printed. @throws Error with its words, if it fails */
  async #compose(...args: readonly string[]): Promise<string> {
    // A file `.env` of the person would change what is tested.
    const project = [
      "compose",
      "--project-name",
      this.#project,
      "--env-file",
      "/dev/null",
      ...this.#profiles,
    ];
    const options = { env: this.#env, timeout: commandMs, maxBuffer: 2 ** 28 };
    const { stdout } = await run("docker", [...project, ...args], options);
    return stdout;
  }
}
