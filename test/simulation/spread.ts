import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import type { Outcome } from "./run.ts";

/** The report of one seed, with its story only if a promise was broken. */
export type Report = Pick<Outcome, "seed" | "broken" | "story" | "acknowledged">;

const worker = fileURLToPath(new URL("worker.ts", import.meta.url));
/** The number of seeds that a process gets at a time. */
const chunk = 20;

/**
 * Runs seeds on all cores, in child processes.
 * @param onReport called with the report of each seed; false ends all runs
 * @param program the worker program; a mutated copy of the code has its own
 */
export async function spread(
  seeds: { readonly from: number; readonly count: number },
  onReport: (report: Report) => boolean,
  program: string = worker,
): Promise<void> {
  let next = seeds.from;
  const end = seeds.from + seeds.count;
  let isOver = false;
  const one = () =>
    new Promise<void>((resolve, reject) => {
      const child = fork(program, { execArgv: ["--import", "tsx"] });
      let open = 0;
      const give = () => {
        if (isOver || next >= end) return child.disconnect();
        open = Math.min(chunk, end - next);
        child.send({ from: next, count: open });
        next += open;
      };
      child.on("message", (report: Report) => {
        open -= 1;
        if (!isOver && !onReport(report)) isOver = true;
        if (isOver) child.kill("SIGKILL");
        else if (open === 0) give();
      });
      child.on("error", reject);
      child.on("exit", (code) => {
        if (isOver || code === 0) resolve();
        else reject(new Error(`a process of the simulation ended with exit code ${code}`));
      });
      give();
    });
  const processes = Math.min(availableParallelism(), Math.ceil(seeds.count / chunk));
  await Promise.all(Array.from({ length: processes }, one));
}
