import { isatty } from "node:tty";
import { JobControl, type LentTerminal, type Suspension } from "./job-control.ts";
import { errorCode } from "./problem.ts";

/** This process as its user sees it: arguments, streams, exit code, signals and warnings. */
export interface Host {
  /** The command line, without the program's own name. */
  readonly args: readonly string[];
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  readonly errors: NodeJS.WriteStream;
  /** Sets the exit code; the process exits when its event loop is empty. */
  endWith(code: number): void;
  /**
   * Calls `stop` each time a signal asks the process to end, or its terminal closes. The listener
   * stays after the first call: inquirer ends the process if no listener is left.
   */
  onStop(stop: () => void): Disposable;
  /**
   * Calls `giveBack` before the process is stopped as a job (Ctrl-Z, SIGTSTP), and `takeAgain` when
   * it continues (`fg`). Without job control, calls `takeAgain` soon after `giveBack`. After
   * SIGSTOP, which gives no warning, calls both when the process continues.
   */
  onSuspend(terminal: LentTerminal): Suspension;
  /** Calls `end` when the process ends in any way except a kill. `end` may be called twice. */
  onEnd(end: () => void): Disposable;
  /** Passes Node's warnings to `warn` instead of stderr. */
  onWarning(warn: (text: string) => void): Disposable;
}

/**
 * Returns the host of this process. If output can't be written, the process ends with code 1,
 * because the program that reads the output lacks data.
 * @param sayWhy gets the system's error code, and writes to stderr why the data on stdout is
 * incomplete
 */
export function thisHost(sayWhy: (code: string) => Promise<void>): Host {
  endWithTerminal();
  const jobControl = new JobControl();
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error) => {
      const code = errorCode(error);
      if (code === undefined) throw error;
      // A closed terminal has the same effect as the signal SIGHUP.
      if (stream.isTTY) return void process.kill(processId, "SIGHUP");
      if (stream === process.stderr) process.exit(1);
      void sayWhy(code).finally(() => process.exit(1));
    });
  }
  return {
    args: process.argv.slice(2),
    // Node opens stdin at its first use, and most commands do not read it.
    get input() {
      return process.stdin;
    },
    output: process.stdout,
    errors: process.stderr,
    endWith: (code) => {
      process.exitCode = code;
    },
    onStop: (stop) => listening(["SIGTERM", "SIGINT", "SIGHUP"], stop),
    onSuspend: (terminal) => jobControl.lend(terminal),
    // Node prints the stack of a defect after the first of these events and before the second. So
    // `end` is called before the stack is printed.
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
 * Ends the process by SIGHUP if a terminal that it began with has closed. Otherwise Node would
 * abort at exit with a core dump.
 */
function endWithTerminal(): void {
  const terminals = [0, 1, 2].filter((fd) => isatty(fd));
  process.on("exit", () => {
    if (terminals.every((fd) => isatty(fd))) return;
    process.removeAllListeners("SIGHUP");
    process.kill(processId, "SIGHUP");
  });
}

/**
 * Runs an action without Node's warnings, because a package may warn about a use that this project
 * intends.
 */
export function withoutWarnings(act: () => void): void {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    act();
  } finally {
    process.emitWarning = emitWarning;
  }
}

export const processId = process.pid;

export function isInteractive(): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true;
}
