import type { EndTimer, Timers } from "../../src/server/surroundings.ts";
import type { VirtualServer } from "./virtual-server.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** One process of a server: what was planned for it does not happen once it has ended. */
export class VirtualProcess {
  readonly server: VirtualServer;
  readonly timers: Timers;
  readonly #time: VirtualTime;
  readonly #life: number;

  /** The server's present one. */
  constructor(server: VirtualServer, time: VirtualTime) {
    this.server = server;
    this.#time = time;
    this.#life = server.life;
    this.timers = {
      now: () => server.nowAt(time.nowMs),
      every: (ms, run) => this.#every(ms, run),
      after: (ms, run) => this.#after(ms, run),
    };
  }

  /** What its machine does by itself goes on while the process is stopped. */
  later(delayMs: number, run: () => void): void {
    this.#time.after(delayMs, () => {
      if (this.server.life === this.#life) run();
    });
  }

  /** What reaches the process waits while it is stopped. */
  call(run: () => void): void {
    if (this.server.life === this.#life) this.server.take(run);
  }

  /** Of all that reaches the process so the first counts. */
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

  #every(ms: number, run: () => void): EndTimer {
    let isOn = true;
    const next = () => {
      this.later(ms, () => {
        if (!isOn) return;
        this.call(run);
        next();
      });
    };
    next();
    return () => {
      isOn = false;
    };
  }
}
