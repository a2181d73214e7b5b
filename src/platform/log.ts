import { closeSync, openSync, writeSync } from "node:fs";
import { isatty } from "node:tty";
import pino from "pino";

export const logLevels = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LogOptions {
  readonly level: LogLevel;
  readonly role: string;
  readonly name: () => string;
  readonly clock: () => number;
  /** A file descriptor instead of stderr. */
  readonly fd?: number;
}

export type Log = pino.Logger;

/** JSON lines on stderr; on a terminal, one readable line each. */
export function openLog({ level, role, name, clock, fd = 2 }: LogOptions): Log {
  const options: pino.LoggerOptions = {
    level,
    base: { role },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    mixin: () => ({ name: name(), clock: clock() }),
  };
  if (!isatty(fd)) {
    const destination = pino.destination({ dest: fd, sync: true });
    // A full disk may cost a line of the log, never the process.
    destination.on("error", () => {});
    return pino(options, destination);
  }
  return pino(options, { write: (line: string) => writeSync(fd, readable(line)) });
}

const dim = (text: string) => (process.env.NO_COLOR ? text : `\u001b[2m${text}\u001b[0m`);
const plainFields = new Set(["level", "time", "role", "name", "clock", "msg"]);

function readable(line: string): string {
  const entry = JSON.parse(line) as Record<string, unknown>;
  const rest = Object.entries(entry).filter(([field]) => !plainFields.has(field));
  const mark = entry.level === "info" || entry.level === "debug" ? "" : `${entry.level}: `;
  const tail = rest.length === 0 ? "" : ` ${dim(JSON.stringify(Object.fromEntries(rest)))}`;
  const time = dim(String(entry.time).slice(11, 19));
  // Some of it is what others sent: it must not steer the terminal.
  const text = `${mark}${entry.msg}`.replace(/\p{Cc}/gu, "\uFFFD");
  return `${time} [${entry.name} Clock=${entry.clock}] ${text}${tail}\n`;
}

/**
 * Lets through at most `perSecond` calls a second and counts the rest, so that a log line a
 * request costs a busy server nothing.
 */
export class LogBudget {
  readonly #perSecond: number;
  #second = 0;
  #used = 0;
  #skipped = 0;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** @returns undefined to stay silent, or how many lines were skipped before this one. */
  spend(steadyMs: number): number | undefined {
    const second = Math.floor(steadyMs / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#used = 0;
    }
    if (this.#used >= this.#perSecond) {
      this.#skipped += 1;
      return undefined;
    }
    this.#used += 1;
    const skipped = this.#skipped;
    this.#skipped = 0;
    return skipped;
  }
}

/** A file that takes a child's stderr. */
export function openLogFile(path: string): { fd: number; close(): void } {
  const fd = openSync(path, "a");
  return { fd, close: () => closeSync(fd) };
}
