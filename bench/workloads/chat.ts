import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { channel, members } from "../chat-load.ts";
import { measure } from "../measure.ts";
import {
  cli,
  endAtExit,
  megabytes,
  processorSeconds,
  TemporaryFolder,
  withoutProc,
} from "../processes.ts";
import { figures, type Values, type Workload } from "../workload.ts";

const writers = 4;
const keyMs = 90;
const letters = 12;
/** Text that does not come in so many milliseconds never comes. */
const mostMs = 20_000;
const clearLine = "\x15";

export const chat: Workload<"messagesPerMinute"> = {
  name: "chat",
  description: "keys typed into the full-screen chat while messages come in, and while none do",
  counts: { messagesPerMinute: 10_000 },
  missing() {
    const isInstalled = existsSync("/usr/bin/script") || existsSync("/bin/script");
    return withoutProc() ?? (isInstalled ? undefined : "the program `script` is not installed.");
  },
  async measure({ counts: { messagesPerMinute }, beside, seconds }) {
    await using cluster = await LocalCluster.start();
    const sessions = await members(cluster, { count: writers });
    await using state = await TemporaryFolder.make();
    await using screen = await Screen.open(cluster, state.path);
    let use: Values = {};
    const load = { inFlight: writers, everyMs: 60_000 / messagesPerMinute, seconds };
    const speak = () =>
      measure((index, lane) => sessions[lane]?.publish(channel, words(index)), load);
    const busy = async () => {
      const before = screen.use();
      const [typed, published] = await Promise.all([screen.type(seconds), speak()]);
      use = { "messages per s": published["per s"] ?? 0, ...screen.useSince(before) };
      return typed;
    };
    const typed = await beside("key to screen", busy, () => screen.type(seconds));
    return [...typed, ...figures("chat", use)];
  },
};

function words(index: number): string {
  return `${index} O sistema está funcionando 🙂 e ${"conta ".repeat(index % 9)}até aqui`;
}

/** What the chat has used so far. */
interface Use {
  readonly processorSeconds: number;
  readonly bytes: number;
  readonly atMs: number;
}

/** The full-screen chat in a pseudo-terminal of 120 by 40. */
class Screen implements AsyncDisposable {
  readonly #terminal: ChildProcess;
  #pid = 0;
  /** What was drawn since the last key. */
  #drawn = "";
  #bytes = 0;
  #onDrawn: () => void = () => {};
  /** The text in the input's line. */
  #line = "";

  private constructor(terminal: ChildProcess) {
    this.#terminal = terminal;
    terminal.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      this.#bytes += Buffer.byteLength(chunk);
      this.#drawn += chunk;
      this.#onDrawn();
    });
  }

  /** @param state the folder for the chat's files */
  static async open({ endpoints }: LocalCluster, state: string): Promise<Screen> {
    const { broker, proxy, reference } = endpoints;
    const flags = `--broker ${broker} --proxy ${proxy} --reference ${reference}`;
    const pidFile = join(state, "pid");
    const command = `exec '${process.execPath}' '${cli}' chat --user ana ${flags}`;
    const terminal = spawn(
      "script",
      ["-qfc", `stty cols 120 rows 40; echo $$ > '${pidFile}'; ${command}`, "/dev/null"],
      { env: { ...process.env, TERM: "xterm-256color", LANG: "C.UTF-8", XDG_STATE_HOME: state } },
    );
    terminal.once("close", endAtExit(terminal, "SIGKILL"));
    const screen = new Screen(terminal);
    await screen.#shows("connected");
    await screen.#shows(`#${channel}`);
    screen.#pid = Number(await readFile(pidFile, "utf8"));
    return screen;
  }

  /** Types key after key, and measures the time from a key to its letter on the screen. */
  type(seconds: number): Promise<Values> {
    return measure(() => this.#key(), { inFlight: 1, everyMs: keyMs, seconds });
  }

  use(): Use {
    const seconds = processorSeconds([this.#pid]);
    return { processorSeconds: seconds, bytes: this.#bytes, atMs: performance.now() };
  }

  useSince(before: Use): Values {
    const { processorSeconds, bytes, atMs } = this.use();
    const seconds = (atMs - before.atMs) / 1_000;
    return {
      "% of a core": (100 * (processorSeconds - before.processorSeconds)) / seconds,
      "KB written per s": (bytes - before.bytes) / 1_000 / seconds,
      MB: megabytes([this.#pid]),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#terminal.once("close", resolve));
    this.#terminal.stdin?.write(`${clearLine}/quit\r`);
    await closed;
  }

  async #key(): Promise<void> {
    const isFull = this.#line.length === letters;
    const letter = String.fromCharCode("a".charCodeAt(0) + this.#line.length);
    this.#line = isFull ? "" : this.#line + letter;
    this.#drawn = "";
    this.#terminal.stdin?.write(isFull ? clearLine : letter);
    await this.#shows(`› \x1b[0m${this.#line}\x1b`);
  }

  async #shows(text: string): Promise<void> {
    const endMs = performance.now() + mostMs;
    while (!this.#drawn.includes(text)) {
      const leftMs = endMs - performance.now();
      if (leftMs <= 0) throw new Error(`the chat has not drawn "${text}"`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#onDrawn = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}
