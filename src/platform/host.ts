import { isatty } from "node:tty";
import { harmless, harmlessJson } from "../protocol/harmless.ts";
import { JobControl, type LentTerminal, type Suspension } from "./job-control.ts";
import { errorCode } from "./problem.ts";

/** The process as a person or a script uses it. */
export interface Host {
  /** The command line, without the program's own name. */
  readonly args: readonly string[];
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly errors: NodeJS.WriteStream;
  /** Sets the code with which the process will end once its loop is empty. */
  endWith(code: number): void;
  /**
   * Calls back when a signal asks the process to end, or its terminal is gone. The listener stays,
   * unlike one that is called once: inquirer ends the process if it alone listens.
   */
  onStop(stop: () => void): Disposable;
  /**
   * Calls `giveBack` before the process is stopped as a job (Ctrl-Z, SIGTSTP), and `takeAgain` once
   * it goes on (`fg`), or at once where nothing stops jobs.
   */
  onSuspend(terminal: LentTerminal): Suspension;
  /** Calls back, at most twice, when the process ends in any way but a kill. */
  onEnd(end: () => void): Disposable;
  /** Takes Node's warnings, which it would write to stderr. */
  onWarning(warn: (text: string) => void): Disposable;
}

/**
 * The host of this process. Output that can't be written ends the process with code 1, since its
 * reader lacks something.
 * @param sayWhy tells on stderr why the data on stdout is incomplete, by the system's code
 */
export function thisHost(sayWhy: (code: string) => void): Host {
  endWithTerminal();
  const jobControl = new JobControl();
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error) => {
      const code = errorCode(error);
      if (code === undefined) throw error;
      // A terminal that is gone has the same effect as its signal.
      if (stream.isTTY) return void process.kill(processId, "SIGHUP");
      if (stream === process.stdout) sayWhy(code);
      process.exit(1);
    });
  }
  return {
    args: process.argv.slice(2),
    input: process.stdin,
    output: process.stdout,
    errors: process.stderr,
    endWith: (code) => {
      process.exitCode = code;
    },
    onStop: (stop) => listening(["SIGTERM", "SIGINT", "SIGHUP"], stop),
    onSuspend: (terminal) => jobControl.lend(terminal),
    // A defect's stack is printed between the two.
    onEnd: (end) => listening(["uncaughtExceptionMonitor", "exit"], end),
    onWarning: (warn) => {
      const usual = process.rawListeners("warning") as ((warning: Error) => void)[];
      process.removeAllListeners("warning");
      process.on("warning", (warning) => warn(warning.stack ?? warning.message));
      return {
        [Symbol.dispose]: () => {
          process.removeAllListeners("warning");
          for (const listener of usual) process.on("warning", listener);
        },
      };
    },
  };
}

function listening(events: readonly string[], listener: () => void): Disposable {
  for (const event of events) process.on(event as "exit", listener);
  return {
    [Symbol.dispose]: () => {
      for (const event of events) process.off(event as "exit", listener);
    },
  };
}

/**
 * Node aborts with a core dump at its end if a terminal that it began with is gone. SIGHUP, which
 * means that the terminal is gone, ends it without one.
 */
function endWithTerminal(): void {
  const terminals = [0, 1, 2].filter((fd) => isatty(fd));
  process.on("exit", () => {
    if (terminals.every((fd) => isatty(fd))) return;
    process.removeAllListeners("SIGHUP");
    process.kill(processId, "SIGHUP");
  });
}

/** Runs an action while Node's warnings are off: a package warns of something done on purpose. */
export function withoutWarnings(act: () => void): void {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    act();
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** The process's number, for logs and supervisors. */
export const processId = process.pid;

/** Writes a line of data to stdout, escaped so that it steers no terminal. */
export function printLine(line: string): void {
  process.stdout.write(`${harmless(line)}\n`);
}

/** The same in JSON. */
export function printValue(value: unknown): void {
  process.stdout.write(`${harmlessJson(JSON.stringify(value))}\n`);
}

/** Whether input and output are a terminal. */
export function isInteractive(): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true;
}
