import { durations } from "../../../protocol/limits.ts";
import type { Passwords } from "../accounts/passwords.ts";
import type { Now } from "../effects.ts";
import { type Decision, refuse } from "./decision.ts";
import { passwordFailed, tooManyPasswords } from "./refusals.ts";

/** A request whose password is being hashed or checked. */
interface Work<Asked> extends Pick<Decision & { next: "password" }, "work" | "settle"> {
  readonly asked: Asked;
}

interface OpenWork<Asked> extends Work<Asked> {
  readonly deadlineMs: number;
  /** Cancels the work if it has not begun. */
  readonly forget: () => void;
}

/** A request whose work is done, or has failed. */
interface DueWork<Asked> {
  readonly asked: Asked;
  decide(now: Now): Decision;
}

/** Requests that wait until their password is hashed or checked, but not longer than a client waits. */
export class WaitingWork<Asked> {
  readonly #passwords: Passwords;
  readonly #open = new Set<OpenWork<Asked>>();
  #done: DueWork<Asked>[] = [];

  constructor(passwords: Passwords) {
    this.#passwords = passwords;
  }

  get size(): number {
    return this.#open.size + this.#done.length;
  }

  /** The requests whose work is done, or has failed. */
  get done(): readonly Asked[] {
    return this.#done.map(({ asked }) => asked);
  }

  add(one: Work<Asked>, steadyMs: number): void {
    const { asked, work, settle } = one;
    const forget = this.#passwords.add(work, (result) => {
      if (!this.#open.delete(open)) return;
      const failed = refuse(passwordFailed());
      this.#done.push({ asked, decide: (now) => (result ? settle(result, now) : failed) });
    });
    // A new password belongs to an operation, whose sender soon asks again.
    const most = work.hash === undefined ? durations.passwordMs : durations.decideMs;
    const open = { ...one, deadlineMs: steadyMs + most, forget };
    this.#open.add(open);
  }

  /** Removes and returns the requests whose work is done, or has taken too long. */
  due(steadyMs: number): DueWork<Asked>[] {
    for (const open of this.#open) {
      if (steadyMs < open.deadlineMs) continue;
      this.#open.delete(open);
      open.forget();
      this.#done.push({ asked: open.asked, decide: () => refuse(tooManyPasswords()) });
    }
    return this.#done.splice(0);
  }
}
