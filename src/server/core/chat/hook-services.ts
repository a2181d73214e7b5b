import type { RequestOf } from "../../../protocol/client-messages.ts";
import { ProtocolError } from "../../../protocol/errors.ts";
import { compareOrder } from "../../../protocol/event.ts";
import { object } from "../../../protocol/fields.ts";
import {
  type HookId,
  parseChannelName,
  parseHookName,
  parseUserName,
} from "../../../protocol/ids.ts";
import { limits } from "../../../protocol/limits.ts";
import { oddityOf } from "../../../protocol/looks.ts";
import type { Replies, Written } from "../../../protocol/replies.ts";
import { hookKey, hookToken, message as text } from "../../../protocol/request-fields.ts";
import { isoTime } from "../../../protocol/time.ts";
import { administers, locked } from "../accounts/access.ts";
import {
  type Circumstances,
  charge,
  type Decision,
  full,
  idReused,
  noChannel,
  noHook,
  noUser,
  refuse,
  type Services,
  waits,
} from "../serving/decision.ts";
import type { ServiceRows } from "../serving/service.ts";
import { decideWrite, type Write } from "../serving/write.ts";
import { type Hook, hookIdOf } from "./hooks.ts";
import { nameBytes } from "./names.ts";
import { read } from "./read-services.ts";
import { publication } from "./write-services.ts";

/** The services of incoming webhooks. */
export const hookServices: ServiceRows<"hook" | "hooks" | "unhook" | "post"> = {
  hook: {
    parse: object({
      user: parseUserName,
      channel: parseChannelName,
      name: parseHookName,
      hookToken,
    }),
    for: "users",
    as: ({ user }) => user,
    sender: ({ user }) => user,
    decide: makeHook,
  },
  hooks: {
    parse: object({ user: parseUserName }),
    for: "users",
    as: ({ user }) => user,
    alsoForAdministrators: true,
    decide: read(listHooks),
  },
  unhook: {
    parse: object({ hook: hookKey }),
    for: "users",
    alsoForAdministrators: true,
    // A revocation has no pace, so that a leaked token is never in its way.
    decide: (services, request, at) => {
      const write = revocation(at);
      return forAll(decideWrite(services, request, { ...at, write }));
    },
  },
  post: {
    parse: object({ hookToken: hookKey, message: text }),
    // The token gives the right to write, and the sender needs no session.
    for: "anybody",
    hook: (request, services) => hookOf(services, request)?.hook,
    sender: (request, services) => hookOf(services, request)?.by,
    decide: post,
  },
};

/** Returns the hook with the request's token; undefined if the token has no hook in force. */
function hookOf(services: Services, request: RequestOf<"post">): Hook | undefined {
  return inForce(services, hookIdOf(services.digest, request.hookToken));
}

function inForce(services: Services, id: HookId): Hook | undefined {
  const { hooks } = services.chat;
  const hook = hooks.get(id);
  return hook === undefined || hooks.isRevoked(id) || !counts(services, hook) ? undefined : hook;
}

/** Whether the hook counts in this cluster: with accounts, its owner must have had a session. */
function counts({ auth }: Services, { isProven }: Hook): boolean {
  return auth === "open" || isProven === true;
}

function forAll<Answer extends object>(decision: Decision<Answer>): Decision<Answer> {
  return decision.next === "commit" ? { ...decision, isForAll: true } : decision;
}

function makeHook(
  services: Services,
  request: RequestOf<"hook">,
  at: Circumstances,
): Decision<Replies["hook"]> {
  const hook = hookIdOf(services.digest, request.hookToken);
  const decision = forAll(decideWrite(services, request, { ...at, write: creation(hook) }));
  if (decision.next !== "commit") return decision as Decision<never>;
  return { ...decision, answer: () => ({ ...decision.answer(), hook }) };
}

function creation(hook: HookId): Write<RequestOf<"hook">> {
  return {
    // The receipt of a hook that is not in force would say that its token can be used.
    existing: (services, { user, channel, name }, id) => {
      if (inForce(services, hook) === undefined) return undefined;
      const made = services.chat.hooks.made.asked(hook, { id, by: user });
      return made.find((one) => one.channel === channel && one.name === name);
    },
    obstacle: (services, request) => {
      const { chat, replication } = services;
      const { user, channel, name, id } = request;
      const older = replication.memberWithoutHooks;
      if (older !== undefined) return upgradeUnfinished(older);
      const isReused = chat.hooks.asked({ id, by: user }).length > 0;
      if (isReused || chat.hooks.get(hook) !== undefined) return idReused();
      if (!chat.knowsChannel(channel)) return noChannel(channel);
      if (!chat.knowsUser(user)) return noUser(user);
      const oddity = oddityOf(name, "name");
      if (oddity !== undefined) return new ProtocolError("name_invalid", oddity);
      return tooManyHooks(services, request);
    },
    make: ({ ledger, auth }, { user: by, channel, name, id }, timeMs) => {
      const isProven = auth === "required" ? true : undefined;
      return ledger.make("hook", { hook, channel, name, by, isProven, id }, timeMs);
    },
  };
}

function upgradeUnfinished(older: string): ProtocolError {
  const description = `"${older}" may be of a version without hooks: upgrade all servers first.`;
  return new ProtocolError("forbidden", description, { reason: "upgrade_unfinished" });
}

function tooManyHooks(services: Services, { user }: RequestOf<"hook">): ProtocolError | undefined {
  const made = services.chat.hooks.madeBy(user).filter((hook) => counts(services, hook));
  const present = made.filter(({ hook }) => inForce(services, hook) !== undefined);
  if (present.length < limits.userHooks && made.length < limits.userHooksMade) return undefined;
  const description =
    present.length < limits.userHooks
      ? `"${user}" has made ${limits.userHooksMade} hooks, and can make no more.`
      : `"${user}" has ${limits.userHooks} hooks: revoke one first.`;
  return new ProtocolError("forbidden", description, { reason: "too_many_hooks" });
}

function revocation({ now }: Circumstances): Write<RequestOf<"unhook">> {
  const asker = ({ chat }: Services, { hook, session }: RequestOf<"unhook">) => {
    return session?.user ?? chat.hooks.get(hook as HookId)?.by;
  };
  return {
    existing: (services, request, id) => {
      const by = asker(services, request);
      if (by === undefined) return undefined;
      return services.chat.hooks.revocations.asked(request.hook, { id, by })[0];
    },
    obstacle: (services, request) => {
      const { accounts, auth } = services;
      const hook = inForce(services, request.hook as HookId);
      if (hook === undefined) return noHook();
      if (auth === "open" || request.session?.user === hook.by) return undefined;
      return administers(request, accounts, services.correctedMs(now)) ? undefined : noHook();
    },
    make: (services, request, timeMs) => {
      const { hook, by } = services.chat.hooks.get(request.hook as HookId) as Hook;
      const data = { hook, by: request.session?.user ?? by, id: request.id };
      return services.ledger.make("unhook", data, timeMs);
    },
  };
}

function listHooks(
  services: Services,
  { user }: RequestOf<"hooks">,
  { room }: Circumstances,
): Decision<Replies["hooks"]> {
  const { committed } = services.replication;
  const { hooks } = services.chat;
  const isListed = ({ hook }: Hook) =>
    inForce(services, hook) !== undefined && hooks.made.isCommitted(hook, committed);
  const present = hooks.madeBy(user).filter(isListed).sort(compareOrder);
  const listed = present.map(({ hook: id, channel, name, time }) => {
    return { id, channel, name, timestamp: isoTime(time) };
  });
  const bytes = present.reduce((sum, { channel, name }) => {
    return sum + nameBytes(channel) + nameBytes(name) + hookBytes;
  }, 0);
  return charge(room, bytes) ? { next: "answer", answer: { hooks: listed } } : full();
}

/** The bytes of one hook in the answer, without the names. */
const hookBytes = 120;

/**
 * Decides to write a message to the hook's channel, as its owner would, but with the hook's name. A
 * request with an unknown token first waits for the events that its sender has seen (R9).
 */
function post(
  services: Services,
  request: RequestOf<"post">,
  at: Circumstances,
): Decision<Written> {
  const hook = hookOf(services, request);
  if (hook === undefined) return waits(services, request, at) ?? refuse(noHook());
  const { by: user, channel, name } = hook;
  if (services.accounts.has("locked", user)) return refuse(locked(user));
  const published = { ...request, service: "publish", user, channel, hook: name } as const;
  return decideWrite(services, published, { ...at, write: publication });
}
