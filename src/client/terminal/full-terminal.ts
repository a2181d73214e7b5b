import { StringDecoder } from "node:string_decoder";
import type { Host } from "../../platform/host.ts";
import type { Size } from "../core/chat-model.ts";
import type { Screen } from "../core/chat-view.ts";
import { decodeKeys, type Key, mayBeKey } from "../core/keys.ts";
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
/** The same for the end of what is pasted. */
const pasteMs = 2_000;

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
    const { columns = 80, rows = 24 } = this.#host.output;
    return { columns, rows };
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
    clearTimeout(this.#timer);
    this.#take(this.#rest + this.#decoder.write(chunk), false);
    if (this.#rest === "") return;
    const isPaste = this.#rest.startsWith("\x1b[200~");
    const patienceMs = isPaste ? pasteMs : mayBeKey(this.#rest) ? restMs : sequenceMs;
    this.#timer = setTimeout(() => this.#take(this.#rest, true), patienceMs);
  };

  #take(input: string, isAll: boolean): void {
    const { keys, rest } = decodeKeys(input, isAll);
    this.#rest = rest;
    for (const key of keys) this.#events.onKey(key);
  }
}
