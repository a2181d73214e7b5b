import type { Digest } from "../../../protocol/event.ts";
import type {
  Chain,
  ChannelName,
  HookId,
  HookName,
  RequestId,
  UserName,
} from "../../../protocol/ids.ts";
import { type Change, Changes, type RequestKey } from "../replica/changes.ts";

/** Returns the id of the hook with a token: its hash. No server stores the token itself. */
export function hookIdOf(digest: Digest, token: string): HookId {
  return digest.chain("" as Chain, token) as string as HookId;
}

/** An incoming webhook: anybody with its token writes to the channel in the name of `by`. */
export interface Hook extends Change {
  readonly hook: HookId;
  readonly channel: ChannelName;
  readonly name: HookName;
  /**
   * Whether the owner had a session. In an open cluster anybody makes hooks in any name, so such a
   * hook does not write once the cluster has accounts.
   */
  readonly isProven?: boolean | undefined;
}

export interface Revocation extends Change {
  readonly hook: HookId;
}

/**
 * All hooks that were ever made. A hook stays after its revocation, and a revocation may come before
 * its hook, so that the state depends only on the set of events (R4).
 */
export class Hooks {
  readonly made = new Changes<Hook>();
  readonly revocations = new Changes<Revocation>();
  readonly #madeBy = new Map<UserName, Set<HookId>>();
  /** The hooks by the user and the id of the requests for them. */
  readonly #asked = new Map<UserName, Map<RequestId, Set<HookId>>>();

  add(hook: Hook): void {
    this.made.add(hook.hook, hook);
    addTo(this.#madeBy, hook.by, hook.hook);
    if (hook.id === undefined) return;
    const asked = this.#asked.get(hook.by) ?? new Map<RequestId, Set<HookId>>();
    this.#asked.set(hook.by, asked);
    addTo(asked, hook.id, hook.hook);
  }

  /** Returns the hook with this id, revoked or not. */
  get(id: HookId): Hook | undefined {
    return this.made.last(id);
  }

  isRevoked(id: HookId): boolean {
    return this.revocations.last(id) !== undefined;
  }

  /** Returns all hooks that the user ever made, revoked ones too. */
  madeBy(user: UserName): Hook[] {
    const hooks = [...(this.#madeBy.get(user) ?? [])].map((id) => this.get(id) as Hook);
    return hooks.filter(({ by }) => by === user);
  }

  /** Returns the user's hooks that requests with this id made. */
  asked({ id, by }: RequestKey): Hook[] {
    if (id === undefined) return [];
    const hooks = [...(this.#asked.get(by)?.get(id) ?? [])];
    return hooks.flatMap((hook) => this.made.asked(hook, { id, by }));
  }
}

function addTo<Key>(sets: Map<Key, Set<HookId>>, key: Key, hook: HookId): void {
  const set = sets.get(key);
  if (set === undefined) sets.set(key, new Set([hook]));
  else set.add(hook);
}
