import { setPriority } from "node:os";
import { parentPort, Worker, workerData } from "node:worker_threads";
import type { PasswordResult, PasswordWork } from "../protocol/password-work.ts";
import { workOnPassword } from "./password.ts";

interface Question {
  readonly number: number;
  readonly work: PasswordWork;
}

/** Without a result if it failed. */
interface Answer {
  readonly number: number;
  readonly result?: PasswordResult;
  readonly error?: string;
}

interface Open {
  resolve(result: PasswordResult): void;
  reject(error: Error): void;
}

/** By which this file knows that it is the thread. */
const mark = "passwords";
/**
 * As `nice` has it: about a tenth of what a busy thread gets beside it, and all that is left over.
 * The lowest (19) gets a seventieth: beside other busy programs a log-in would miss its deadline.
 */
const lowPriority = 10;

/**
 * Works on passwords, one after the other, on a thread of its own and of a low priority: a
 * log-in takes more of the machine than hundreds of messages do, and may wait for them.
 */
export class PasswordThread {
  #worker: Worker | undefined;
  readonly #open = new Map<number, Open>();
  #number = 0;

  /** @throws Error as `workOnPassword` */
  work(work: PasswordWork): Promise<PasswordResult> {
    this.#worker ??= this.#start();
    this.#number += 1;
    const question: Question = { number: this.#number, work };
    return new Promise((resolve, reject) => {
      this.#open.set(question.number, { resolve, reject });
      this.#worker?.postMessage(question);
    });
  }

  /** What is under way then comes to no end, neither a good one nor a bad one. */
  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(new URL(import.meta.url), { workerData: mark });
    worker.unref();
    worker.on("message", ({ number, result, error }: Answer) => {
      const open = this.#open.get(number);
      this.#open.delete(number);
      if (result !== undefined) open?.resolve(result);
      else open?.reject(new Error(error));
    });
    // The next password begins another.
    worker.on("error", (error) => this.#fail(worker, error));
    worker.on("exit", () => this.#fail(worker, new Error("its thread has ended")));
    return worker;
  }

  #fail(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const open of this.#open.values()) open.reject(error);
    this.#open.clear();
  }
}

/** The thread itself. */
function serve(port: NonNullable<typeof parentPort>): void {
  // Elsewhere than on Linux it would be that of the whole process.
  if (process.platform === "linux") setPriority(0, lowPriority);
  port.on("message", ({ number, work }: Question) => {
    let answer: Answer;
    try {
      answer = { number, result: workOnPassword(work) };
    } catch (error) {
      answer = { number, error: (error as Error).message };
    }
    port.postMessage(answer);
  });
}

if (workerData === mark && parentPort !== null) serve(parentPort);
