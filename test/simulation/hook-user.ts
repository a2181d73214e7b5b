import type { ListedHook, ReplyData, Request } from "../../src/protocol/client-messages.ts";
import type { ChannelName, HookName, UserName } from "../../src/protocol/ids.ts";
import { limits } from "../../src/protocol/limits.ts";
import type { ChannelEntry } from "../../src/protocol/publications.ts";
import { assertPromise } from "../support/check-promises.ts";

/** What a client sends about hooks: everything but the fields that every request has. */
type HookRequest = Request & { service: "hook" | "hooks" | "unhook" | "post" };
type Asked = HookRequest extends infer R
  ? R extends unknown
    ? Omit<R, "clock" | "id">
    : never
  : never;

const name = "deploy" as HookName;
const mostHooks = 3;
/** How the texts of hooks begin. */
const opening = "by hook: ";

/** The hooks of one client: makes some, writes by them, lists and revokes them. */
export class HookUser {
  readonly #user: UserName;
  readonly #channel: ChannelName;
  readonly #random: () => number;
  /** The ids of the hooks whose requests were acknowledged, by their tokens. */
  readonly #made = new Map<string, string>();
  /** The ids of the hooks whose revocation was asked for. */
  readonly #revoked = new Set<string>();
  /** What the list must have had, by the request. */
  readonly #listed = new WeakMap<Request, readonly string[]>();

  constructor(user: UserName, channel: ChannelName, random: () => number) {
    this.#user = user;
    this.#channel = channel;
    this.#random = random;
  }

  /** Returns the next request. @param count a number that no other request of the client has */
  next(count: number): Asked {
    const chance = this.#random();
    const present = [...this.#made].filter(([, id]) => !this.#revoked.has(id));
    const [hookToken, id] = present[Math.floor(this.#random() * present.length)] ?? [];
    if (hookToken === undefined || (chance < 0.2 && present.length < mostHooks)) {
      const token = `${this.#user}-${count}`.padEnd(limits.hookTokenCharactersLeast, "-");
      const made = { user: this.#user, channel: this.#channel, name, hookToken: token };
      return { service: "hook", ...made };
    }
    if (chance < 0.3) return { service: "hooks", user: this.#user };
    if (chance < 0.4 && id !== undefined) {
      this.#revoked.add(id);
      return { service: "unhook", hook: id };
    }
    return { service: "post", hookToken, message: `${opening}${this.#user} ${count}` };
  }

  /** Notes what the reply to a request that is sent now must show. */
  sending(request: Request): void {
    if (request.service !== "hooks") return;
    this.#listed.set(request, [...this.#made.values()]);
  }

  /** Checks a final answer to a request with `after`, and records what it says. */
  take(request: Request, data: ReplyData): void {
    if (data.status === "erro") return this.#checkError(request, data);
    if (request.service === "hook") this.#made.set(request.hookToken, data.hook as string);
    if (request.service !== "hooks" || request.after === undefined) return;
    const ids = (data.hooks as ListedHook[]).map(({ id }) => id as string);
    for (const id of this.#listed.get(request) ?? []) {
      const isShown = ids.includes(id) || this.#revoked.has(id);
      assertPromise(isShown, "R9", `${data.server} does not list a hook of ${this.#user}`);
    }
  }

  #checkError(request: Request, data: ReplyData): void {
    if (request.service !== "post" || request.after === undefined) return;
    const isRevoked = this.#revoked.has(this.#made.get(request.hookToken) ?? "");
    const told = `${data.server} answers ${data.code} to a hook of ${this.#user}`;
    assertPromise(isRevoked || data.code !== "hook_not_found", "R9", told);
  }
}

/** Checks that a message names a hook if a hook has written it, and only then. */
export function checkHooks(entries: readonly ChannelEntry[], server: string): void {
  for (const { message, hook } of entries) {
    const isRight = hook === (message.startsWith(opening) ? name : undefined);
    assertPromise(isRight, "R4", `${server} shows "${message}" with the hook ${hook}`);
  }
}
