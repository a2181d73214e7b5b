import type {
  Incoming,
  NamesQuery,
  ParsedRequest,
  Request,
  RequestOf,
  Service,
} from "../../protocol/client-messages.ts";
import type { Digest } from "../../protocol/event.ts";
import { type HookId, isChain, type RequestId, type UserName } from "../../protocol/ids.ts";
import { looksOf } from "../../protocol/looks.ts";
import { keyOf } from "../../protocol/operation.ts";
import { readTopic } from "../../protocol/topics.ts";
import { hookIdOf } from "../core/chat/hooks.ts";
import { isRefused } from "../core/serving/payload-reply.ts";
import { Needs, type Scope } from "./engine.ts";
import { channelKey, scopes, userKey } from "./events.ts";
import type { Slice } from "./slice.ts";

type NeedsOfServices = {
  readonly [S in Service]?: (needs: Needs, request: RequestOf<S>, digest: Digest) => void;
};

/** Adds all that must be loaded so that the request can be decided. */
export function addNeedsOf(needs: Needs, request: ParsedRequest, digest: Digest): void {
  needs.estimatedRows += 1;
  const user = request.session?.user;
  if (user !== undefined) needs.accounts.add(user);
  const own = needsOfServices[request.service as Service] as
    | ((needs: Needs, request: Request, digest: Digest) => void)
    | undefined;
  own?.(needs, request as unknown as Request, digest);
}

/**
 * For each service, what its row in `../core` reads before it decides. What a kind of operation reads
 * under the lock is in `reads` of `postgres/decide.ts`; it may need a row in both tables.
 */
const needsOfServices: NeedsOfServices = {
  login: (needs, { user, id }) => {
    needUser(needs, user);
    needEventOf(needs, scopes.login(user), id);
  },
  register: (needs, { user, id, session }) => {
    needUser(needs, user);
    for (const look of looksOf(user)) needs.userLooks.add(look);
    needOutcomeOf(needs, user, id);
    if (session !== undefined) needs.accounts.add(session.user);
  },
  password: (needs, { user, id }) => {
    needUser(needs, user);
    needOutcomeOf(needs, user, id);
  },
  account: (needs, { user, id, session }) => {
    needUser(needs, user);
    needOutcomeOf(needs, session?.user, id);
  },
  registration: (needs, { id, session }) => needOutcomeOf(needs, session?.user, id),
  removal: (needs, { channel, id, session }) => {
    needs.channels.add(channel);
    if (session !== undefined) needEventOf(needs, scopes.removal(channel, session.user), id);
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
    needEventOf(needs, scopes.channel(channel, user), id);
    if (user === undefined) return;
    needUser(needs, user);
    needs.channelsOf.add(user);
  },
  publish: (needs, { user, channel, id }) => {
    needs.channels.add(channel);
    needs.users.add(user);
    needEventOf(needs, scopes.message(channelKey(channel), user), id);
  },
  message: (needs, { src, dst, id }) => {
    needs.users.add(src).add(dst);
    needEventOf(needs, scopes.message(userKey(dst), src), id);
  },
  hook: (needs, { user, channel, hookToken, id }, digest) => {
    needs.users.add(user);
    needs.channels.add(channel);
    needs.hooks.add(hookIdOf(digest, hookToken));
    needs.hooksOf.add(user);
    needEventOf(needs, scopes.hook(user), id);
  },
  hooks: (needs, { user }) => void needs.hooksOf.add(user),
  unhook: (needs, { hook }) => {
    // The gate lets any text pass, also one that PostgreSQL refuses.
    if (isChain(hook)) needs.hooks.add(hook as string as HookId);
  },
  post: (needs, { hookToken }, digest) => void needs.hooks.add(hookIdOf(digest, hookToken)),
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
    needs.isStockNeeded = true;
  },
  cards: (needs, { user }) => {
    needs.cardsOf.add(user);
    needs.wallets.add(user);
  },
  buy: needShopOperation,
  offer: needShopOperation,
  trade: needShopOperation,
  deck: needShopOperation,
  supply: (needs, { id, session }) => needOutcomeOf(needs, session?.user, id),
  // A game server is the asker of its operations.
  matchBegin: (needs, { match, game, id }) => {
    needs.isMatchCountNeeded = true;
    needs.matches.add(match);
    needOutcomeOf(needs, game as string as UserName, id);
  },
  matchTerm: (needs, { game, id }) => needOutcomeOf(needs, game as string as UserName, id),
  matchEnd: (needs, { game, id }) => needOutcomeOf(needs, game as string as UserName, id),
  matchVoid: (needs, { id, session }) => needOutcomeOf(needs, session?.user, id),
  match: (needs, { user }) => void needs.players.add(user),
  matches: (needs, { from }) => void needs.openMatchesFrom.add(from ?? ""),
  ranking: (needs) => {
    needs.isRankingNeeded = true;
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
        ? hookIdOf(digest, (request as RequestOf<"post">).hookToken)
        : ((request as RequestOf<"unhook">).hook as HookId);
    const hook = chat.hooks.get(key);
    if (hook === undefined) continue;
    const { by, channel, name } = hook;
    needs ??= new Needs();
    needUser(needs, by);
    needs.channels.add(channel);
    needEventOf(needs, scopes.message(channelKey(channel), by, name), id);
    needEventOf(needs, scopes.unhook(key, session?.user ?? by), id);
  }
  return needs;
}

function needShopOperation(
  needs: Needs,
  { user, id }: { readonly user: UserName; readonly id: RequestId | undefined },
): void {
  needs.users.add(user);
  needOutcomeOf(needs, user, id);
}

function namesOf({ prefix = "", from = "", limit = mostNames }: NamesQuery) {
  return { prefix, from, limit };
}

/** The most names in a reply to a request without a limit. */
export const mostNames = 10_000;

function needUser(needs: Needs, user: UserName): void {
  needs.users.add(user);
  needs.accounts.add(user);
}

function needEventOf(needs: Needs, scope: Scope, id: RequestId | undefined): void {
  if (id !== undefined) needs.events.set(`${scope.scope}\n${id}`, { ...scope, id });
}

function needOutcomeOf(needs: Needs, by: UserName | undefined, id: RequestId | undefined): void {
  if (by !== undefined && id !== undefined) needs.operations.set(keyOf({ by, id }), { by, id });
}
