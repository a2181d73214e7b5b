import { setPriority } from "node:os";
import { parentPort, Worker, workerData } from "node:worker_threads";
import type { PasswordResult, PasswordWork } from "../protocol/password-work.ts";
import { workOnPassword } from "./password.ts";

/** Without a result if the work failed. */
interface Answer {
  readonly result?: PasswordResult;
  readonly error?: string;
}

interface Open {
  resolve(result: PasswordResult): void;
  reject(error: Error): void;
}

/** The data by which this file knows that it runs as the thread. */
const mark = "passwords";
/**
 * As `nice` has it: beside a busy thread it gets about a tenth, and all that is left over. With the
 * lowest (19) it would get a seventieth, and beside busy programs a log-in would miss its deadline.
 */
const lowPriority = 10;

/**
 * Works on passwords, one after the other, on a thread of its own with a low priority. A log-in
 * costs the machine more than hundreds of messages do, and may wait for them.
 */
export class PasswordThread {
  #worker: Worker | undefined;
  /** Work that the thread has: it answers in this order. */
  #open: Open[] = [];

  /** @throws Error as `workOnPassword` */
  work(work: PasswordWork): Promise<PasswordResult> {
    this.#worker ??= this.#start();
    return new Promise((resolve, reject) => {
      this.#open.push({ resolve, reject });
      this.#worker?.postMessage(work);
    });
  }

  /** Abandons pending work: its promises never settle. */
  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#open = [];
    await worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(new URL(import.meta.url), { workerData: mark });
    worker.unref();
    worker.on("message", ({ result, error }: Answer) => {
      if (this.#worker !== worker) return;
      const open = this.#open.shift();
      if (result !== undefined) open?.resolve(result);
      else open?.reject(new Error(error));
    });
    // The next password starts a new thread.
    worker.on("error", (error) => this.#fail(worker, error));
    worker.on("exit", () => this.#fail(worker, new Error("its thread has ended")));
    return worker;
  }

  #fail(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const open of this.#open.splice(0)) open.reject(error);
  }
}

/** The thread itself. */
function serve(port: NonNullable<typeof parentPort>): void {
  // Other systems would set the priority of the whole process.
  if (process.platform === "linux") setPriority(0, lowPriority);
  const answer = (given: Answer) => port.postMessage(given);
  port.on("message", (work: PasswordWork) => {
    try {
      answer({ result: workOnPassword(work) });
    } catch (error) {
      answer({ error: (error as Error).message });
    }
  });
}

if (workerData === mark && parentPort !== null) serve(parentPort);
