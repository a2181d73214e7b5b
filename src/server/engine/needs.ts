import type {
  Incoming,
  NamesQuery,
  ParsedRequest,
  Request,
  RequestOf,
  Service,
} from "../../protocol/client-messages.ts";
import type { Digest } from "../../protocol/event.ts";
import {
  type Chain,
  type HookId,
  isChain,
  type RequestId,
  type UserName,
} from "../../protocol/ids.ts";
import { looksOf } from "../../protocol/looks.ts";
import { keyOf } from "../../protocol/operation.ts";
import { readTopic } from "../../protocol/topics.ts";
import { isRefused } from "../core/serving/payload-reply.ts";
import { Needs } from "./engine.ts";
import { channelKey, scopes, userKey } from "./events.ts";
import type { Slice } from "./slice.ts";

type Gatherers = {
  readonly [S in Service]?: (needs: Needs, request: RequestOf<S>, digest: Digest) => void;
};

/** Adds all that must be loaded so that the request can be decided. */
export function gather(needs: Needs, request: ParsedRequest, digest: Digest): void {
  needs.rows += 1;
  const user = request.session?.user;
  if (user !== undefined) needs.accounts.add(user);
  const own = gatherers[request.service as Service] as
    | ((needs: Needs, request: Request, digest: Digest) => void)
    | undefined;
  own?.(needs, request as unknown as Request, digest);
}

/** For each service, what its row in `../core` reads. */
const gatherers: Gatherers = {
  login: (needs, { user, id }) => {
    known(needs, user);
    event(needs, scopes.login(user), id);
  },
  register: (needs, { user, id, session }) => {
    known(needs, user);
    for (const look of looksOf(user)) needs.userLooks.add(look);
    operation(needs, user, id);
    if (session !== undefined) needs.accounts.add(session.user);
  },
  password: (needs, { user, id }) => {
    known(needs, user);
    operation(needs, user, id);
  },
  account: (needs, { user, id, session }) => {
    known(needs, user);
    operation(needs, session?.user, id);
  },
  registration: (needs, { id, session }) => operation(needs, session?.user, id),
  removal: (needs, { channel, id, session }) => {
    needs.channels.add(channel);
    if (session !== undefined) event(needs, scopes.removal(channel, session.user), id);
  },
  keys: (needs, { topics }) => {
    for (const topic of topics) {
      const channel = readTopic(topic)?.channel;
      if (channel !== undefined) needs.channels.add(channel);
    }
  },
  channel: (needs, request) => {
    const { channel, id, session, user = session?.user } = request;
    needs.channels.add(channel);
    event(needs, scopes.channel(channel, user), id);
    if (user === undefined) return;
    known(needs, user);
    needs.channelsOf.add(user);
  },
  publish: (needs, { user, channel, id }) => {
    needs.channels.add(channel);
    needs.users.add(user);
    event(needs, scopes.message(channelKey(channel), user), id);
  },
  message: (needs, { src, dst, id }) => {
    needs.users.add(src).add(dst);
    event(needs, scopes.message(userKey(dst), src), id);
  },
  hook: (needs, { user, channel, hookToken, id }, digest) => {
    needs.users.add(user);
    needs.channels.add(channel);
    needs.hooks.add(hashed(digest, hookToken));
    needs.hooksOf.add(user);
    event(needs, scopes.hook(user), id);
  },
  hooks: (needs, { user }) => void needs.hooksOf.add(user),
  unhook: (needs, { hook }) => {
    // The gate lets any text pass, also one that PostgreSQL refuses.
    if (isChain(hook)) needs.hooks.add(hook as string as HookId);
  },
  post: (needs, { hookToken }, digest) => void needs.hooks.add(hashed(digest, hookToken)),
  presence: (needs, { user }) => void needs.users.add(user),
  users: (needs, query) => needs.addNames({ of: "users", ...namesOf(query) }),
  channels: (needs, query) => needs.addNames({ of: "channels", ...namesOf(query) }),
  history: (needs, query) => {
    const { user, channel } = query.conversation;
    if (user !== undefined) needs.users.add(user);
    if (channel !== undefined) needs.channels.add(channel);
    const { conversation, before, since, limit } = query;
    needs.addHistory({ conversation, with: query.with, before, since, limit });
  },
  search: (needs, { conversation: { user, channel } }) => {
    if (user !== undefined) needs.users.add(user);
    if (channel !== undefined) needs.channels.add(channel);
  },
  shop: (needs, { user }) => {
    needs.wallets.add(user);
    needs.hasStock = true;
  },
  cards: (needs, { user }) => {
    needs.cardsOf.add(user);
    needs.wallets.add(user);
  },
  buy: asked,
  offer: asked,
  trade: asked,
  deck: asked,
  supply: (needs, { id, session }) => operation(needs, session?.user, id),
  matchBegin: (needs, { match, game, id }) => {
    needs.hasMatchCount = true;
    needs.matches.add(match);
    operation(needs, game as string as UserName, id);
  },
  matchTerm: (needs, { game, id }) => operation(needs, game as string as UserName, id),
  matchEnd: (needs, { game, id }) => operation(needs, game as string as UserName, id),
  matchVoid: (needs, { id, session }) => operation(needs, session?.user, id),
  match: (needs, { user }) => void needs.players.add(user),
  matches: (needs, { from }) => void needs.openMatches.add(from ?? ""),
  ranking: (needs) => {
    needs.hasRanking = true;
  },
};

/**
 * Returns what must be loaded besides, now that the slice has the hooks that requests name: a hook
 * tells who writes where. Undefined if no request names a hook.
 */
export function needsOfHooks(
  requests: Iterable<Incoming>,
  { chat }: Slice,
  digest: Digest,
): Needs | undefined {
  let needs: Needs | undefined;
  for (const request of requests) {
    if (isRefused(request)) continue;
    const { service, id, session } = request;
    if (service !== "post" && service !== "unhook") continue;
    const key =
      service === "post"
        ? hashed(digest, (request as RequestOf<"post">).hookToken)
        : ((request as RequestOf<"unhook">).hook as HookId);
    const hook = chat.hooks.get(key);
    if (hook === undefined) continue;
    const { by, channel, name } = hook;
    needs ??= new Needs();
    known(needs, by);
    needs.channels.add(channel);
    event(needs, scopes.message(channelKey(channel), by, name), id);
    event(needs, scopes.unhook(key, session?.user ?? by), id);
  }
  return needs;
}

function asked(
  needs: Needs,
  { user, id }: { readonly user: UserName; readonly id: RequestId | undefined },
): void {
  needs.users.add(user);
  operation(needs, user, id);
}

function namesOf({ prefix = "", from = "", limit = mostNames }: NamesQuery) {
  return { prefix, from, limit };
}

/** The most names in a reply to a request without a limit. */
export const mostNames = 10_000;

/** The id of a hook is the hash of its token. */
function hashed(digest: Digest, token: string): HookId {
  return digest.chain("" as Chain, token) as string as HookId;
}

function known(needs: Needs, user: UserName): void {
  needs.users.add(user);
  needs.accounts.add(user);
}

function event(needs: Needs, scope: string, id: RequestId | undefined): void {
  if (id !== undefined) needs.events.set(`${scope}\n${id}`, { scope, id });
}

function operation(needs: Needs, by: UserName | undefined, id: RequestId | undefined): void {
  if (by !== undefined && id !== undefined) needs.operations.set(keyOf({ by, id }), { by, id });
}
