import { closeSync, copyFileSync, fstatSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { isatty } from "node:tty";
import pino from "pino";
import { harmless, harmlessJson } from "../protocol/harmless.ts";
import { now } from "./clock.ts";
import { errorCode } from "./problem.ts";

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

export interface LogOptions {
  readonly level: LogLevel;
  readonly role: string;
  readonly name: () => string;
  readonly clock: () => number;
  /** The file descriptor to write to; by default stderr. */
  readonly fd?: number;
}

export type Log = pino.Logger;

/**
 * Opens a log of JSON lines. On a terminal, each line has a readable form. Foreign text is escaped,
 * so that it can't control this terminal, or a terminal on which the file is read later.
 */
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
    // A full disk may lose a line of the log, but must not end the process.
    destination.on("error", () => {});
    const write = (line: string) => destination.write(`${harmlessJson(line.trimEnd())}\n`);
    return pino(options, { write });
  }
  return pino(options, { write: (line: string) => writeIfPossible(fd, readable(line)) });
}

/** Writes a line. If the terminal is closed, the line is lost and the process continues. */
function writeIfPossible(fd: number, line: string): void {
  try {
    writeSync(fd, line);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
  }
}

const dim = (text: string) => (process.env.NO_COLOR ? text : `\u001b[2m${text}\u001b[0m`);

/**
 * Fields that the end of a readable line leaves out: the line shows them elsewhere, or its sentence
 * says the same.
 */
const plainFields = new Set(["level", "time", "role", "name", "clock", "msg", "event", "epoch"]);

/** Returns a JSON line in the form for a terminal. */
export function readable(line: string): string {
  const entry = JSON.parse(line) as Record<string, unknown>;
  const rest = Object.entries(entry).filter(([field]) => !plainFields.has(field));
  const mark = entry.level === "info" || entry.level === "debug" ? "" : `${entry.level}: `;
  const tail =
    rest.length === 0 ? "" : ` ${dim(harmlessJson(JSON.stringify(Object.fromEntries(rest))))}`;
  const time = dim(String(entry.time).slice(11, 19));
  const text = harmless(`${mark}${entry.msg}`);
  return `${time} [${entry.name} Clock=${entry.clock}] ${text}${tail}\n`;
}

/** The most lines per second about single requests; more lines are only counted. */
const requestLines = 50;

/**
 * Writes at most `requestLines` lines per second about single requests, and counts the others
 * (O18). So these lines cost a busy process little, and clients can't fill the disk with them.
 */
export class RequestLog {
  readonly #log: Log;
  #second = 0;
  /** Lines written in this second. */
  #written = 0;
  /** Lines left out since the last written line. */
  #skipped = 0;
  /** Lines left out since the start. */
  skippedLines = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  write(level: "debug" | "info" | "warn", text: string, fields: object = {}): void {
    if (!this.#log.isLevelEnabled(level)) return;
    const second = Math.floor(now().steadyMs / 1_000);
    if (second !== this.#second) this.#written = 0;
    this.#second = second;
    if (this.#written >= requestLines) {
      this.#skipped += 1;
      this.skippedLines += 1;
      return;
    }
    this.#written += 1;
    const skipped = this.#skipped;
    this.#skipped = 0;
    if (skipped > 0) this.#log.info({ skipped }, `Recebido: … (${skipped} more)`);
    this.#log[level](fields, text);
  }
}

/** Bytes above which a log file is copied to another file and emptied. */
const mostLogBytes = 10_000_000;
/** Pause between two checks of the file's size. */
const checkMs = 2_000;

/**
 * Opens a log file to which a child process may write through its stderr. Above `mostBytes` the
 * file is copied to `path.1` and emptied. The file is not renamed, because the child would then
 * write to the renamed file.
 */
export function openLogFile(
  path: string,
  mostBytes: number = mostLogBytes,
): { fd: number; close(): void } {
  const fd = openSync(path, "a");
  const rotateIfLarge = () => {
    if (fstatSync(fd).size <= mostBytes) return;
    try {
      copyFileSync(path, `${path}.1`);
    } catch (error) {
      // On a full disk the copy fails, and the older text is lost.
      if (errorCode(error) === undefined) throw error;
    }
    ftruncateSync(fd);
  };
  rotateIfLarge();
  const timer = setInterval(rotateIfLarge, checkMs).unref();
  return {
    fd,
    close: () => {
      clearInterval(timer);
      closeSync(fd);
    },
  };
}
