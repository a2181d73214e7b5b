import type { Host } from "../../platform/host.ts";
import type { Suspension } from "../../platform/job-control.ts";
import type { TerminalLook } from "../../platform/terminal-look.ts";
import type { Size } from "../core/chat-model.ts";
import type { Screen } from "../core/chat-view.ts";
import type { Key } from "../core/keys.ts";
import { KeyReader } from "./key-reader.ts";
import { painted } from "./paint-line.ts";

export interface FullTerminalEvents {
  onKey(key: Key): void;
  onResize(): void;
}

/**
 * Turns on the second screen and bracketed paste, and turns wrapping off. Without wrapping, a
 * grapheme that the terminal draws wider than expected spoils only its own line.
 */
const enter = "\x1b[?1049h\x1b[2J\x1b[?2004h\x1b[?7l";
const leaveModes = "\x1b[?2026l\x1b[?7h\x1b[?2004l\x1b[0m\x1b[?25h";
const leaveScreen = "\x1b[?1049l";

/**
 * Uses the whole terminal between `open` and `close`: reads keys and draws screens. A drawing
 * writes only the changed lines, in a single write.
 */
export class FullTerminal implements Disposable {
  readonly #host: Host;
  readonly #events: FullTerminalEvents;
  readonly #look: TerminalLook;
  readonly #ending: Disposable;
  readonly #suspension: Suspension;
  readonly #keys: KeyReader;
  #shown: string[] = [];
  #isOpen = false;
  /** True while, after Ctrl-Z, the person's command shell has the terminal. */
  #isLent = false;
  /** True after `show`, until the person presses a key. */
  #showsLines = false;

  constructor(host: Host, events: FullTerminalEvents, look: TerminalLook) {
    this.#host = host;
    this.#events = events;
    this.#look = look;
    this.#keys = new KeyReader((key) => this.#press(key));
    this.#ending = host.onEnd(() => this.close());
    this.#suspension = host.onSuspend({
      giveBack: () => {
        this.#isLent ||= this.#isOpen;
        this.close();
      },
      takeAgain: () => {
        if (this.#isLent) this.open();
        this.#isLent = false;
      },
    });
  }

  get size(): Size {
    // A terminal whose size was never set reports 0.
    const { columns, rows } = this.#host.output;
    return { columns: columns || 80, rows: rows || 24 };
  }

  open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    const { input, output } = this.#host;
    // Set raw mode first: if this process is in the background, the system stops the process in
    // this call, until the process has the terminal.
    input.setRawMode(true);
    output.write(enter);
    output.on("resize", this.#resized);
    input.on("data", this.#read);
    input.resume();
    this.#shown = [];
    // The size may have changed while another process had the terminal.
    this.#events.onResize();
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#keys.forget();
    const { input, output } = this.#host;
    output.off("resize", this.#resized);
    input.off("data", this.#read);
    input.pause();
    input.setRawMode(false);
    // After `show`, the terminal has already left the second screen; leaving it again would move
    // the cursor.
    output.write(this.#showsLines ? leaveModes : leaveModes + leaveScreen);
    this.#showsLines = false;
  }

  /**
   * Writes lines on the first screen, where the terminal wraps a long line, and the person can copy
   * it as one line.
   */
  show(lines: readonly string[]): void {
    if (!this.#isOpen) return;
    this.#showsLines = true;
    this.#host.output.write(`${leaveModes}${leaveScreen}${lines.join("\r\n")}\r\n`);
  }

  /** Handles Ctrl-Z: the person's command shell has the terminal until this process resumes. */
  suspend(): void {
    this.#suspension.suspend();
  }

  /** Forgets the present screen, so that the next drawing writes every line. */
  forget(): void {
    this.#shown = [];
  }

  draw({ lines, cursor }: Screen): void {
    if (!this.#isOpen || this.#showsLines) return;
    let written = this.#shown.length === 0 ? "\x1b[0m\x1b[2J" : "";
    const shown = lines.map((line) => painted(line, this.#look));
    shown.forEach((line, row) => {
      // Erase before writing the line. After a line as wide as the terminal, the cursor is still on
      // the last character, and erasing would remove this character.
      if (line !== this.#shown[row]) written += `\x1b[${row + 1};1H\x1b[K${line}`;
    });
    this.#shown = shown;
    const place = `\x1b[${cursor.row + 1};${cursor.column + 1}H`;
    this.#host.output.write(
      written === "" ? place : `\x1b[?2026h\x1b[?25l${written}${place}\x1b[?25h\x1b[?2026l`,
    );
  }

  [Symbol.dispose](): void {
    this.close();
    this.#ending[Symbol.dispose]();
    this.#suspension[Symbol.dispose]();
  }

  /** Passes a key to the chat. After `show`, the first key only returns to the chat. */
  #press(key: Key): void {
    if (!this.#showsLines) return this.#events.onKey(key);
    if (key.name === "unknown") return;
    this.#showsLines = false;
    this.#host.output.write(enter);
    // The screen was cleared, and its size may have changed, so the next drawing writes every line.
    this.#shown = [];
    this.#events.onResize();
  }

  readonly #resized = () => this.#events.onResize();

  readonly #read = (chunk: Buffer) => this.#keys.read(chunk);
}
