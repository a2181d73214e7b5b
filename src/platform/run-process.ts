import { isatty } from "node:tty";
import { harmless } from "../protocol/harmless.ts";
import { errorCode, Problem } from "./problem.ts";

/** What a process tells the one that watches over it, once it serves. */
export interface ReadyMessage {
  readonly ready: true;
  readonly name: string;
  /** Bound endpoints by their use: `front`, `back`, `in`, `out`, `peer` … */
  readonly endpoints: Readonly<Record<string, string>>;
}

export function announceReady(message: Omit<ReadyMessage, "ready">): void {
  // Who is gone by now is told nothing; `untilStopped` sees to the rest.
  process.send?.({ ready: true, ...message }, undefined, undefined, () => {});
}

/** What a process of ours gives to those that it watches over: any other channel is not ours. */
export const supervised = { TERTULIA_SUPERVISED: "true" };

export interface Running extends AsyncDisposable {
  /** Resolves when the process has to end by itself. */
  readonly ended?: Promise<void>;
}

/**
 * Whether this process ends with its terminal. Under nohup it must not: Node drops the ignored
 * SIGHUP that nohup sets, but nohup also takes all three streams off the terminal.
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
    // They stay: a second Ctrl-C must not cut short an end that is under way.
    process.on("SIGTERM", stop);
    if (process.env.TERTULIA_SUPERVISED === undefined) {
      process.on("SIGINT", stop);
      process.on("SIGHUP", hasTerminal() ? stop : () => {});
      return;
    }
    // The terminal sends these to all: who watches over us stops everybody in order.
    for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => {});
    process.once("disconnect", stop);
    // It may have ended while we were being loaded.
    if (!process.connected) stop();
  });
}

/** A log that can't be written (a full disk) ends no serving process: its lines are lost. */
export function outliveLog(): void {
  process.stderr.removeAllListeners("error");
  process.stderr.on("error", () => {});
}

/**
 * One role in the foreground: starts it, waits until it is stopped, disposes of it. The process
 * ends by emptying its loop. Callers read the role's settings first: that may wait for a pipe,
 * where signals must end the process by themselves.
 */
export async function runProcess(start: () => Promise<Running>): Promise<void> {
  const stopped = untilStopped();
  outliveLog();
  const running = await Promise.race([start(), stopped]);
  // Told to stop before it served: there is nothing to finish.
  if (running === undefined) process.exit(0);
  await Promise.race([stopped, running.ended ?? stopped]);
  await running[Symbol.asyncDispose]();
  if (process.connected) process.disconnect();
}

/** Ends the process with one sentence for a person; only a defect shows a stack. */
export function endByFailure(error: unknown): never {
  const known = error instanceof Problem || errorCode(error) !== undefined;
  const text = error instanceof Error && !known ? error.stack : undefined;
  const lines = text?.split("\n") ?? [error instanceof Error ? error.message : String(error)];
  process.stderr.write(`tertulia: ${lines.map(harmless).join("\n")}\n`);
  process.exit(error instanceof Problem ? error.exitCode : 1);
}

/**
 * Ends the process at once: what it holds in memory can no longer be brought in line with its
 * disk (R2).
 */
export function crash(reason: string): never {
  process.stderr.write(`tertulia: ${harmless(reason)}\n`);
  process.exit(1);
}
