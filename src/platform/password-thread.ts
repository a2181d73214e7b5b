import { setPriority } from "node:os";
import { parentPort, Worker, workerData } from "node:worker_threads";
import type { PasswordResult, PasswordWork } from "../protocol/password-work.ts";
import { workOnPassword } from "./password.ts";

/** The thread's message: `result`, or `error` if the work failed. */
interface Answer {
  readonly result?: PasswordResult;
  readonly error?: string;
}

interface Open {
  resolve(result: PasswordResult): void;
  reject(error: Error): void;
}

/** The worker data that tells this file to run as the thread. */
const mark = "passwords";
/**
 * The thread's nice value. Beside a busy thread, this thread gets about a tenth of a core, and all
 * time that the busy thread leaves unused. At the lowest priority (19) it would get a seventieth,
 * and logins on a busy machine would miss their deadline.
 */
const lowPriority = 10;

/**
 * Checks and hashes passwords, one after the other, on a thread with low priority. One login takes
 * as much time as hundreds of messages, so messages go first.
 */
export class PasswordThread {
  #worker: Worker | undefined;
  /** The work sent to the thread, which answers in the same order. */
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
    // After this thread has failed, the next password starts a new thread.
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

/** Runs in the thread: does the work of each message and answers it. */
function serve(port: NonNullable<typeof parentPort>): void {
  // Only Linux sets the priority of one thread; other systems would change the priority of the
  // whole process.
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
