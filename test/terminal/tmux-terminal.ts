import { execFileSync, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import { until } from "../support/until.ts";

export const hasTmux = spawnSync("tmux", ["-V"]).status === 0;

/** For the title of what is skipped. */
export const why = hasTmux
  ? ""
  : " (skipped: tmux, which types and reads the screen, is not installed)";

const terminals: Terminal[] = [];

/** A terminal of 90 columns by 30 lines that runs the menu; `$?` and its modes come after it. */
export class Terminal {
  readonly #socket = `tertulia-test-${process.pid}-${randomUUID()}`;

  constructor(command: string) {
    const shell = `${command}; echo "code $?"; stty -a | grep -ow -e "-*icanon"; sleep 60`;
    terminals.push(this);
    this.#tmux("new-session", "-d", "-x", "90", "-y", "30", shell);
  }

  get screen(): string {
    return this.#tmux("capture-pane", "-p").replace(/\n+$/, "\n");
  }

  keys(...keys: string[]): void {
    this.#tmux("send-keys", ...keys);
  }

  async shows(text: string): Promise<void> {
    try {
      await until(() => this.screen.includes(text), text, 8_000);
    } catch {
      expect(this.screen).toContain(text);
    }
  }

  /** The process of the menu itself. */
  get pid(): number {
    const pane = this.#tmux("list-panes", "-F", "#{pane_pid}").trim();
    return Number(execFileSync("pgrep", ["-P", pane, "-f", "cli.js"], { encoding: "utf8" }));
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
