import type {
  ChatModel,
  Presence,
  Conversation as Shown,
} from "../../../client/core/chat-model.ts";
import { harmless } from "../../../protocol/harmless.ts";
import type { UserName } from "../../../protocol/ids.ts";
import type { Page } from "../page.ts";

interface Parts {
  readonly page: Page;
  readonly chat: ChatModel;
}

/** The list of conversations: channels, private conversations, and the other people online. */
export function Sidebar({ page, chat }: Parts) {
  const { words } = page;
  const channels = chat.conversations.filter(({ target }) => target?.channel !== undefined);
  const people = chat.conversations.filter(({ target }) => target?.user !== undefined);
  const others = [...chat.presence.keys()].filter(
    (user) => user !== chat.me && !people.some(({ target }) => target?.user === user),
  );
  return (
    <nav class="sidebar" aria-label={words("page.conversations")}>
      <header>
        <h1>Tertulia</h1>
        <button
          type="button"
          class="go-to"
          aria-keyshortcuts="Control+K"
          onClick={() => {
            page.names();
            page.change({ dialog: "switch" });
          }}
        >
          {words("page.goTo")} <span aria-hidden="true">Ctrl K</span>
        </button>
      </header>
      <div class="lists">
        <List title={words("page.channels")} page={page} chat={chat} shown={channels} />
        <List title={words("page.private")} page={page} chat={chat} shown={people} />
        {others.length > 0 && (
          <section aria-labelledby="online">
            <h2 id="online">{words("page.online")}</h2>
            <ul>
              {others.map((user) => (
                <Person key={user} page={page} chat={chat} user={user} />
              ))}
            </ul>
          </section>
        )}
      </div>
      <footer>
        <span class="me">
          <bdi>{harmless(chat.me)}</bdi>
          {chat.isAway && <span class="hint"> ({words("chat.away")})</span>}
        </span>
        <a href="/duel">{words("page.matches")}</a>
        <button type="button" class="quiet" onClick={() => page.change({ dialog: "settings" })}>
          {words("page.settings")}
        </button>
      </footer>
    </nav>
  );
}

function List({
  title,
  page,
  chat,
  shown,
}: Parts & { readonly title: string; readonly shown: readonly Shown[] }) {
  if (shown.length === 0) return null;
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      <ul>
        {shown.map((present) => (
          <Row key={present.key} page={page} chat={chat} present={present} />
        ))}
      </ul>
    </section>
  );
}

function Row({ page, chat, present }: Parts & { readonly present: Shown }) {
  const { words } = page;
  const { key, target, unread, mentions, isMuted } = present;
  if (target === undefined) return null;
  const isPrivate = target.user !== undefined;
  const isNews = unread + mentions > 0;
  const classes = [
    "row",
    isNews ? "has-news" : "",
    mentions > 0 || (isPrivate && unread > 0) ? "is-meant" : "",
  ];
  return (
    <li>
      <button
        type="button"
        class={classes.join(" ")}
        aria-current={key === chat.current ? "page" : undefined}
        onClick={() => open(page, target)}
      >
        {isPrivate ? (
          <Dot state={chat.presence.get(target.user)} page={page} />
        ) : (
          <span class="sign" aria-hidden="true">
            #
          </span>
        )}
        <bdi class="name">{harmless(key.slice(1))}</bdi>
        {isMuted && <span class="hint">{words("page.muted")}</span>}
        {mentions > 0 && !isPrivate && (
          <span class="count">
            <span aria-hidden="true">@{mentions}</span>
            <span class="aside">{words("page.mentionCount", { count: mentions })}</span>
          </span>
        )}
        {unread > 0 && (
          <span class="count">
            <span aria-hidden="true">{unread > 999 ? "999+" : unread}</span>
            <span class="aside">{words("page.unreadCount", { count: unread })}</span>
          </span>
        )}
      </button>
    </li>
  );
}

function Person({ page, chat, user }: Parts & { readonly user: UserName }) {
  return (
    <li>
      <button type="button" class="row" onClick={() => open(page, { user })}>
        <Dot state={chat.presence.get(user)} page={page} />
        <bdi class="name">{harmless(user)}</bdi>
      </button>
    </li>
  );
}

/** Whether a person is online, as a mark and as a word for screen readers. */
export function Dot({
  state,
  page,
}: {
  readonly state: Presence | undefined;
  readonly page: Page;
}) {
  const word = page.words(
    state === "online" ? "chat.online" : state === "away" ? "chat.away" : "page.offline",
  );
  return (
    <span class={`dot is-${state ?? "offline"}`} title={word}>
      <span class="aside">{word}</span>
    </span>
  );
}

function open(page: Page, target: Shown["target"]): void {
  if (target === undefined) return;
  page.dispatch({ type: "opened", target });
  page.change({ showsList: false });
}
