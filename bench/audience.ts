import { pause } from "../src/platform/clock.ts";
import { BenchProcess } from "./child-process.ts";
import type { Heard } from "./listener.ts";
import { type Load, measure } from "./measure.ts";
import { type Figure, figures, none, type Values } from "./workload.ts";

/** The subscriber processes of a fan-out. */
export const listeners = 10;
/**
 * The most messages by which a publisher may be ahead of the slowest listener, so that no queue
 * overflows. All systems have the same bound.
 */
const window = 10_000;
/** After so many milliseconds without any new message, the rest counts as lost. */
const silenceMs = 5_000;
const probeMs = 20;

/** Processes that all subscribe to the same publications, and count them. */
export class Audience implements Disposable {
  readonly #processes: readonly BenchProcess[];
  readonly #heard: Heard[];
  readonly #waiting = new Set<() => void>();
  #opened = 0;
  /** The number of messages that the slowest process has heard. */
  #least = 0;

  private constructor(processes: readonly BenchProcess[]) {
    this.#processes = processes;
    this.#heard = processes.map(() => nothing);
    for (const [index, process] of processes.entries()) {
      process.onMessage((message) => this.#take(index, message as Heard | "open"));
    }
  }

  /** Starts the processes. @param file a script that calls `listen` */
  static async start(file: URL): Promise<Audience> {
    const processes = await Promise.all(
      Array.from({ length: listeners }, () => BenchProcess.start(file)),
    );
    return new Audience(processes.map(({ started }) => started));
  }

  /** Lets each process subscribe, and forgets what was heard before. */
  async open(...args: readonly string[]): Promise<void> {
    this.#opened = 0;
    this.#least = 0;
    this.#heard.fill(nothing);
    for (const process of this.#processes) process.send(args);
    while (this.#opened < listeners) await this.#news();
  }

  /**
   * Opens processes that count as open once they have heard anything. So a subscription has reached
   * the publisher before the first message.
   * @param probe publishes an empty text, which is not counted
   */
  async openProbed(args: readonly string[], probe: () => unknown): Promise<void> {
    const opened = this.open(...args);
    let isOpen = false;
    void opened.then(() => {
      isOpen = true;
    });
    while (!isOpen) {
      await probe();
      await Promise.race([opened, pause(probeMs)]);
    }
  }

  get least(): number {
    return this.#least;
  }

  /** Resolves when each process has heard so many messages, or when nothing more comes. */
  async hears(count: number): Promise<void> {
    while (this.least < count && (await this.#news()));
  }

  /** Returns how many processes have not heard each of the messages 1 to `count` exactly once. */
  unequal(count: number): number {
    const sum = (count * (count + 1)) / 2;
    return this.#heard.filter((heard) => heard.count !== count || heard.sum !== sum).length;
  }

  [Symbol.dispose](): void {
    for (const process of this.#processes) process[Symbol.dispose]();
  }

  #take(index: number, message: Heard | "open"): void {
    if (message === "open") this.#opened += 1;
    else this.#heard[index] = message;
    this.#least = Math.min(...this.#heard.map(({ count }) => count));
    for (const wake of this.#waiting) wake();
  }

  /** Resolves to true at the next message of a process, or to false after a long silence. */
  #news(): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (isNews: boolean) => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve(isNews);
      };
      const wake = () => end(true);
      const timer = setTimeout(() => end(false), silenceMs);
      this.#waiting.add(wake);
    });
  }
}

const nothing: Heard = { count: 0, sum: 0 };

export interface FanOut extends Load {
  readonly audience: Audience;
  /** Publishes a text that begins with its number. */
  publish(number: number): unknown;
}

/** What a fan-out came to. */
export interface Delivered {
  readonly values: Values;
  readonly complete: Figure;
}

/** Publishes to an audience, and counts until the slowest listener has everything. */
export async function fanOut({
  audience,
  publish,
  ...load
}: FanOut): Promise<Delivered & { readonly sent: number }> {
  let sent = 0;
  const startMs = performance.now();
  await measure(async () => {
    sent += 1;
    const number = sent;
    if (number - audience.least > window) await audience.hears(number - window);
    await publish(number);
  }, load);
  return { sent, ...(await delivered(audience, sent, startMs)) };
}

/**
 * Waits until an audience has heard everything, or until nothing more comes.
 * @param startMs when the delivery began
 */
export async function delivered(
  audience: Audience,
  sent: number,
  startMs: number,
): Promise<Delivered> {
  await audience.hears(sent);
  const perSecond = (1_000 * sent * listeners) / (performance.now() - startMs);
  return {
    values: { "deliveries per s": perSecond },
    complete: none("listeners that lost or doubled a message", audience.unequal(sent)),
  };
}

export function fanOutFigures(name: string, found: Delivered, ceiling: Delivered): Figure[] {
  const { values, complete } = found;
  return [
    ...figures(name, values, ceiling.values),
    { ...complete, name: `${name}: ${complete.name}` },
  ];
}
