import { endWithBench } from "./child-process.ts";

/** What a listener has heard so far. */
export interface Heard {
  readonly count: number;
  /** The sum of the messages' numbers, which shows whether each came exactly once. */
  readonly sum: number;
}

const reportEvery = 1_000;
const reportMs = 10;

/**
 * Runs a process of an audience: counts what it hears, and reports to the bench.
 * @param open subscribes, and calls `hear` with each text that begins with its number
 */
export function listen(
  open: (args: readonly string[], hear: (text: string) => void) => Promise<void>,
): void {
  let heard = { count: 0, sum: 0 };
  let reported = heard;
  const report = () => {
    if (reported === heard) return;
    reported = heard;
    process.send?.(heard);
  };
  const hear = (text: string) => {
    heard = { count: heard.count + 1, sum: heard.sum + Number.parseInt(text, 10) };
    if (heard.count % reportEvery === 0) report();
  };
  endWithBench();
  setInterval(report, reportMs);
  process.on("message", async (args: string[]) => {
    heard = { count: 0, sum: 0 };
    reported = heard;
    await open(args, hear);
    process.send?.("open");
  });
  process.send?.("ready");
}
