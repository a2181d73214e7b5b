import type { EndTimer, Timers } from "../../src/server/surroundings.ts";
import type { VirtualServer } from "./virtual-server.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** One process of a server. Its planned tasks do not run once the process has ended. */
export class VirtualProcess {
  readonly server: VirtualServer;
  readonly timers: Timers;
  readonly #time: VirtualTime;
  readonly #life: number;

  /** Stands for the server's present process. */
  constructor(server: VirtualServer, time: VirtualTime) {
    this.server = server;
    this.#time = time;
    this.#life = server.life;
    this.timers = {
      now: () => server.nowAt(time.nowMs),
      after: (ms, run) => this.#after(ms, run),
    };
  }

  /**
   * Runs a task of the machine, even while the process is stopped, but not after the process has
   * ended.
   */
  later(delayMs: number, run: () => void): void {
    this.#time.after(delayMs, () => {
      if (this.server.life === this.#life) run();
    });
  }

  /** Runs a task of the process; the task waits while the process is stopped. */
  call(run: () => void): void {
    if (this.server.life === this.#life) this.server.take(run);
  }

  /** Wraps `take` so that only the first call counts; the call runs as a task of the process. */
  once<T>(take: (value: T) => void): (read: () => T) => void {
    let isOpen = true;
    return (read) => {
      this.call(() => {
        if (!isOpen) return;
        isOpen = false;
        take(read());
      });
    };
  }

  #after(ms: number, run: () => void): EndTimer {
    let isOn = true;
    this.later(ms, () => {
      if (isOn) this.call(run);
    });
    return () => {
      isOn = false;
    };
  }
}
