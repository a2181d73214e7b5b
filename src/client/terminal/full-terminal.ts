import { StringDecoder } from "node:string_decoder";
import type { Host } from "../../platform/host.ts";
import type { Size } from "../core/chat-model.ts";
import type { Screen } from "../core/chat-view.ts";
import { decodeKeys, isPasting, type Key, mayBeKey } from "../core/keys.ts";
import { painted } from "./paint-line.ts";

export interface FullTerminalEvents {
  onKey(key: Key): void;
  onResize(): void;
}

/**
 * A second screen, a hidden cursor while drawing, bracketed paste, and no wrapping: a terminal that
 * thinks a cluster wider than we do cuts its line, and moves no other. And all of it back.
 */
const enter = "\x1b[?1049h\x1b[2J\x1b[?2004h\x1b[?7l";
const leave = "\x1b[?2026l\x1b[?7h\x1b[?2004l\x1b[0m\x1b[?25h\x1b[?1049l";
/** Within which the rest of a key's sequence comes; what has none by then is Esc, or a key with Alt. */
const restMs = 40;
/** The same where nobody would have pressed what is there, also over a slow line. */
const sequenceMs = 500;
/** The same for the end of what is pasted: then what is there is shown, and the rest as it comes. */
const pasteMs = 2_000;
/** Of a paste that stood still so long the end is lost. */
const lostPasteMs = 30_000;
/** Ctrl-C, alone: the person's own way out of a paste whose end never comes. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is one
const interrupts = /^\x03+$/;

/**
 * The whole terminal, between `open` and `close`: keys in, lines out. Only lines that changed are
 * written, in one write a frame.
 */
export class FullTerminal implements Disposable {
  readonly #host: Host;
  readonly #events: FullTerminalEvents;
  readonly #hasColours: boolean;
  readonly #ending: Disposable;
  #shown: string[] = [];
  #rest = "";
  /** A paste stood still: what comes of it is shown at once. */
  #isStalled = false;
  #timer: NodeJS.Timeout | undefined;
  #decoder = new StringDecoder("utf8");
  #isOpen = false;

  constructor(host: Host, events: FullTerminalEvents, hasColours: boolean) {
    this.#host = host;
    this.#events = events;
    this.#hasColours = hasColours;
    this.#ending = host.onEnd(() => this.close());
  }

  get size(): Size {
    // A terminal that nobody told its size says 0.
    const { columns, rows } = this.#host.output;
    return { columns: columns || 80, rows: rows || 24 };
  }

  open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    const { input, output } = this.#host;
    output.write(enter);
    output.on("resize", this.#resized);
    input.setRawMode(true);
    input.on("data", this.#read);
    input.resume();
    this.#shown = [];
    // It may have changed while others had the terminal.
    this.#events.onResize();
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    clearTimeout(this.#timer);
    this.#rest = "";
    this.#isStalled = false;
    const { input, output } = this.#host;
    output.off("resize", this.#resized);
    input.off("data", this.#read);
    input.pause();
    input.setRawMode(false);
    output.write(leave);
  }

  /** What is shown counts no more: the next drawing writes all of it. */
  forget(): void {
    this.#shown = [];
  }

  draw({ lines, cursor }: Screen): void {
    if (!this.#isOpen) return;
    let written = this.#shown.length === 0 ? "\x1b[0m\x1b[2J" : "";
    const shown = lines.map((line) => painted(line, this.#hasColours));
    shown.forEach((line, row) => {
      // Erased first: behind a line as wide as the terminal its last character would go too.
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
  }

  readonly #resized = () => this.#events.onResize();

  readonly #read = (chunk: Buffer) => {
    const input = this.#decoder.write(chunk);
    if (this.#isStalled && interrupts.test(input)) this.#rest = "";
    this.#take(this.#rest + input, false);
  };

  #take(input: string, isAll: boolean): void {
    clearTimeout(this.#timer);
    const { keys, rest } = decodeKeys(input, isAll);
    this.#rest = rest;
    this.#isStalled = isPasting(rest) && (isAll || this.#isStalled);
    if (rest !== "") {
      const [next, patienceMs] = isAll ? ["", lostPasteMs] : [rest, this.#patienceMs];
      this.#timer = setTimeout(() => this.#take(next, true), patienceMs);
    }
    // Last, since one of them may close the terminal.
    for (const key of keys) this.#events.onKey(key);
  }

  get #patienceMs(): number {
    if (isPasting(this.#rest)) return this.#isStalled ? restMs : pasteMs;
    return mayBeKey(this.#rest) ? restMs : sequenceMs;
  }
}
