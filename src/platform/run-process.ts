import { isatty } from "node:tty";
import { harmless } from "../protocol/harmless.ts";
import { errorCode, Problem } from "./problem.ts";

/** The message that a process sends to its supervisor when it begins to serve. */
export interface ReadyMessage {
  readonly ready: true;
  readonly name: string;
  /** The bound endpoints by use: `front`, `back`, `in`, `out`, `peer` … */
  readonly endpoints: Readonly<Record<string, string>>;
}

/** The message that a process sends to its supervisor while it waits for what it needs. */
export interface WaitingMessage {
  readonly ready: false;
  /** The reason, in one sentence. */
  readonly why: string;
}

interface Announced {
  readonly name: string;
  /** The bound endpoints; undefined ones are left out. */
  readonly endpoints: Readonly<Record<string, string | undefined>>;
}

export function announceReady(message: Announced): void {
  tellSupervisor({ ready: true, ...message });
}

export function announceWaiting(why: string): void {
  tellSupervisor({ ready: false, why });
}

function tellSupervisor(message: object): void {
  // The error is ignored, because `untilStopped` notices when the supervisor has ended.
  process.send?.(message, undefined, undefined, () => {});
}

/**
 * The environment variable that a supervisor sets for its processes. A process without this
 * variable ignores the channel to its parent.
 */
export const supervised = { TERTULIA_SUPERVISED: "true" };

export interface Running extends AsyncDisposable {
  /** Resolves when the process has finished its work and ends without a signal, as a bot does. */
  readonly ended?: Promise<void>;
}

/**
 * Returns whether this process ends when its terminal closes. Under nohup the process must not end.
 * Node does not keep nohup's setting that SIGHUP is ignored, so this function looks at stdin,
 * stdout and stderr: under nohup none of them is a terminal.
 */
function hasTerminal(): boolean {
  return [0, 1, 2].some((fd) => isatty(fd));
}

/**
 * Resolves at the first SIGTERM or SIGINT, and when the terminal closes (SIGHUP). In a supervised
 * process, resolves only at SIGTERM, and when the supervisor closes the channel or dies.
 */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    const stop = () => resolve();
    // The listeners are not removed, because a second Ctrl-C must not interrupt the shutdown.
    process.on("SIGTERM", stop);
    if (process.env.TERTULIA_SUPERVISED === undefined) {
      process.on("SIGINT", stop);
      process.on("SIGHUP", hasTerminal() ? stop : () => {});
      return;
    }
    // A supervised process ignores these signals: the terminal sends them to all processes at once,
    // but the supervisor stops its processes in order.
    for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => {});
    process.once("disconnect", stop);
    // The supervisor may have ended while this process was being loaded.
    if (!process.connected) stop();
  });
}

/**
 * Keeps a serving process alive if its log can't be written, for example on a full disk. The
 * unwritten lines are lost.
 */
export function outliveLog(): void {
  process.stderr.removeAllListeners("error");
  process.stderr.on("error", () => {});
}

/**
 * Runs one role in the foreground: starts it, waits until it is stopped, and disposes of it. The
 * process ends when its event loop is empty. Callers read the role's settings before they call this
 * function, because reading may wait for a pipe. Until this call, a signal ends the process at
 * once.
 */
export async function runProcess(start: () => Promise<Running>): Promise<void> {
  const stopped = untilStopped();
  outliveLog();
  const running = await Promise.race([start(), stopped]);
  // The process was stopped before it began to serve, so it has no work to finish.
  if (running === undefined) process.exit(0);
  await Promise.race([stopped, running.ended ?? stopped]);
  await running[Symbol.asyncDispose]();
  if (process.connected) process.disconnect();
}

/** Ends the process with one sentence on stderr; only a defect shows a stack. */
export function endByFailure(error: unknown): never {
  const known = error instanceof Problem || errorCode(error) !== undefined;
  const text = error instanceof Error && !known ? error.stack : undefined;
  const lines = text?.split("\n") ?? [error instanceof Error ? error.message : String(error)];
  process.stderr.write(`tertulia: ${lines.map(harmless).join("\n")}\n`);
  process.exit(error instanceof Problem ? error.exitCode : 1);
}

/** Ends the process at once, because its memory and its disk no longer agree (R2). */
export function crash(reason: string): never {
  process.stderr.write(`tertulia: ${harmless(reason)}\n`);
  process.exit(1);
}
