import { isatty } from "node:tty";
import { harmless } from "../protocol/harmless.ts";
import { errorCode, Problem } from "./problem.ts";

/** A process's message to its supervisor, once it serves. */
export interface ReadyMessage {
  readonly ready: true;
  readonly name: string;
  /** Bound endpoints by their use: `front`, `back`, `in`, `out`, `peer` … */
  readonly endpoints: Readonly<Record<string, string>>;
}

export function announceReady(message: Omit<ReadyMessage, "ready">): void {
  // The supervisor may be gone already; `untilStopped` sees to that.
  process.send?.({ ready: true, ...message }, undefined, undefined, () => {});
}

/**
 * The environment that a supervisor gives its processes, which ignore any other parent's channel.
 */
export const supervised = { TERTULIA_SUPERVISED: "true" };

export interface Running extends AsyncDisposable {
  /** Resolves when the process must end by itself. */
  readonly ended?: Promise<void>;
}

/**
 * Whether this process ends with its terminal. Under nohup it must not: Node forgets that nohup set
 * SIGHUP to be ignored, but nohup also takes all three streams off the terminal.
 */
function hasTerminal(): boolean {
  return [0, 1, 2].some((fd) => isatty(fd));
}

/**
 * Resolves at the first SIGTERM or SIGINT, and when the terminal closes (SIGHUP). A supervised
 * process resolves only at SIGTERM, and when its supervisor closes the channel or is gone.
 */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    const stop = () => resolve();
    // The listeners stay: a second Ctrl-C must not cut short an end that has begun.
    process.on("SIGTERM", stop);
    if (process.env.TERTULIA_SUPERVISED === undefined) {
      process.on("SIGINT", stop);
      process.on("SIGHUP", hasTerminal() ? stop : () => {});
      return;
    }
    // The terminal sends these to all processes, but the supervisor stops them in order.
    for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => {});
    process.once("disconnect", stop);
    // The supervisor may have ended while this process was being loaded.
    if (!process.connected) stop();
  });
}

/**
 * Keeps a serving process alive if its log can't be written (a full disk): those lines are lost.
 */
export function outliveLog(): void {
  process.stderr.removeAllListeners("error");
  process.stderr.on("error", () => {});
}

/**
 * Runs one role in the foreground: starts it, waits until it is stopped, disposes of it. The
 * process ends once its loop is empty. Callers read the role's settings before: that may wait for a
 * pipe, and a signal must end the process then.
 */
export async function runProcess(start: () => Promise<Running>): Promise<void> {
  const stopped = untilStopped();
  outliveLog();
  const running = await Promise.race([start(), stopped]);
  // It was stopped before it served: nothing is left to finish.
  if (running === undefined) process.exit(0);
  await Promise.race([stopped, running.ended ?? stopped]);
  await running[Symbol.asyncDispose]();
  if (process.connected) process.disconnect();
}

/** Ends the process with one sentence for a person. Only a defect shows a stack. */
export function endByFailure(error: unknown): never {
  const known = error instanceof Problem || errorCode(error) !== undefined;
  const text = error instanceof Error && !known ? error.stack : undefined;
  const lines = text?.split("\n") ?? [error instanceof Error ? error.message : String(error)];
  process.stderr.write(`tertulia: ${lines.map(harmless).join("\n")}\n`);
  process.exit(error instanceof Problem ? error.exitCode : 1);
}

/** Ends the process at once, since its memory and its disk no longer agree (R2). */
export function crash(reason: string): never {
  process.stderr.write(`tertulia: ${harmless(reason)}\n`);
  process.exit(1);
}
