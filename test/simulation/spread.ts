import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import type { Outcome } from "./run.ts";
import type { Seeds } from "./worker.ts";

/** The report of one seed, with its story only if a promise was broken. */
export type Report = Outcome;

/** The number of seeds that a process gets at a time. */
const chunk = 20;

/**
 * Runs seeds on all cores, in child processes.
 * @param onReport called with the report of each seed; false ends all runs
 * @param program the compiled worker program
 */
export async function spread(
  { world, from, count }: Seeds,
  onReport: (report: Report) => boolean,
  program: string,
): Promise<void> {
  let next = from;
  const end = from + count;
  let isOver = false;
  const one = () =>
    new Promise<void>((resolve, reject) => {
      const child = fork(program, { execArgv: ["--enable-source-maps"] });
      let open = 0;
      const give = () => {
        if (isOver || next >= end) return child.disconnect();
        open = Math.min(chunk, end - next);
        child.send({ world, from: next, count: open } satisfies Seeds);
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
  const processes = Math.min(availableParallelism(), Math.ceil(count / chunk));
  await Promise.all(Array.from({ length: processes }, one));
}
