import { type ChildProcessByStdio, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";

/** What a cable does to frames in one direction: milliseconds of delay, and the part that is lost. */
type Fault = readonly [ms: number, loss: number];

/** The faults of a cable, seen from its host: `out` for what the host sends. */
export interface Cable {
  readonly out?: Fault;
  readonly in?: Fault;
}

const cut: Fault = [0, 1];
export const pulled: Cable = { out: cut, in: cut };
export const deaf: Cable = { in: cut };
export const mute: Cable = { out: cut };

const network = "10.0.0";
/** The fourth host: it is this process's own network namespace. */
const people = "people";
const program = fileURLToPath(new URL("switch.py", import.meta.url));

/**
 * Network namespaces with one cable each to a common switch. They end with this process, because
 * main.ts gives it namespaces of its own.
 */
export class Network {
  readonly network = network;
  readonly #switch: ChildProcessByStdio<Writable, Readable, null>;
  readonly #names: readonly string[];

  private constructor(names: readonly string[]) {
    this.#names = names;
    this.#switch = spawn("python3", [program, ...names], { stdio: ["pipe", "pipe", "inherit"] });
  }

  /** @param hosts the host with the number n, from 1 on, has the address 10.0.0.n */
  static async start(hosts: readonly string[]): Promise<Network> {
    const made = new Network([...hosts, people]);
    await once(made.#switch.stdout, "data");
    ip("link set lo up");
    hosts.forEach((name, index) => {
      ip(`netns add ${name}`);
      ip(`link set ${name} netns ${name}`);
      ip(`-n ${name} link set lo up`);
      plugIn(name, index + 1, `-n ${name} `);
    });
    plugIn(people, hosts.length + 1);
    return made;
  }

  /** Changes the faults of some cables; all others become sound. */
  set(cables: Readonly<Record<string, Cable>>): void {
    this.#switch.stdin.write(`${JSON.stringify(cables)}\n`);
  }

  setAll(cable: Cable): void {
    this.set(Object.fromEntries(this.#names.map((name) => [name, cable])));
  }
}

function plugIn(name: string, number: number, where = ""): void {
  ip(`${where}addr add ${network}.${number}/24 dev ${name}`);
  ip(`${where}link set ${name} up`);
}

function ip(command: string): void {
  execFileSync("ip", command.split(" "));
}
