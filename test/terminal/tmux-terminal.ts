import { execFileSync, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import { until } from "../support/until.ts";

export const hasTmux = spawnSync("tmux", ["-V"]).status === 0;

/** A text for titles, which says why tests are skipped; empty if tmux is installed. */
export const why = hasTmux
  ? ""
  : " (skipped: tmux, which types and reads the screen, is not installed)";

const terminals: Terminal[] = [];

/**
 * A terminal of tmux that runs a command. After the command it shows the exit code and the
 * terminal's mode.
 */
export class Terminal {
  readonly #socket = `tertulia-test-${process.pid}-${randomUUID()}`;

  constructor(command: string, { columns = 90, rows = 30 } = {}) {
    const shell = `${command}; echo "code $?"; stty -a | grep -ow -e "-*icanon"; sleep 60`;
    terminals.push(this);
    this.#tmux("new-session", "-d", "-x", `${columns}`, "-y", `${rows}`, shell);
  }

  get screen(): string {
    return this.#tmux("capture-pane", "-p").replace(/\n+$/, "\n");
  }

  /** The screen's text. Lines that the terminal has wrapped are joined. */
  get unwrapped(): string {
    return this.#tmux("capture-pane", "-p", "-J").replace(/ +$/gm, "");
  }

  keys(...keys: string[]): void {
    this.#tmux("send-keys", ...keys);
  }

  /** The screen's text, with colours as SGR sequences. */
  get colours(): string {
    return this.#tmux("capture-pane", "-p", "-e");
  }

  /** Types `text` as it is, even if it is the name of a key. */
  types(text: string): void {
    this.#tmux("send-keys", "-l", text);
  }

  /** Types a line and Enter, for a program that reads by lines, such as a shell. */
  enter(line: string): void {
    this.types(line);
    this.keys("Enter");
  }

  /** Pastes without brackets, with a CR for each line end. */
  pastes(text: string): void {
    this.#tmux("set-buffer", text);
    this.#tmux("paste-buffer");
  }

  /** Copies the program's output, from now on, to a file. */
  recordsTo(file: string): void {
    this.#tmux("pipe-pane", "-O", `cat > '${file}'`);
  }

  resize(columns: number, rows: number): void {
    this.#tmux("resize-window", "-x", `${columns}`, "-y", `${rows}`);
  }

  async shows(text: string, limitMs = 8_000): Promise<void> {
    try {
      await until(() => this.screen.includes(text), text, limitMs);
    } catch {
      expect(this.screen).toContain(text);
    }
  }

  /** Presses keys as soon as a question is shown. */
  async answers(question: string, ...keys: string[]): Promise<void> {
    await this.shows(question);
    this.keys(...keys);
  }

  /** The id of the program's process, a descendant of the shells that started it. */
  get pid(): number {
    let parents = this.#tmux("list-panes", "-F", "#{pane_pid}").trim();
    for (;;) {
      const found = childrenOf(parents, "-f", "cli.js");
      if (found !== "") return Number(found);
      parents = childrenOf(parents);
      if (parents === "") throw new Error("it has ended");
    }
  }

  /** Kills the program's process if it is still running. */
  killNow(): void {
    try {
      process.kill(this.pid, "SIGKILL");
    } catch {
      // The process has ended.
    }
  }

  close(): void {
    spawnSync("tmux", ["-L", this.#socket, "kill-server"]);
  }

  #tmux(...args: string[]): string {
    return execFileSync("tmux", ["-L", this.#socket, ...args], { encoding: "utf8" });
  }
}

export function closeTerminals(): void {
  for (const terminal of terminals.splice(0)) terminal.close();
}

function childrenOf(parents: string, ...pattern: string[]): string {
  return spawnSync("pgrep", ["-d,", "-P", parents, ...pattern], { encoding: "utf8" }).stdout.trim();
}
