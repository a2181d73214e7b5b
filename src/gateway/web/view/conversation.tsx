import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { authorOf } from "../../../client/core/author.ts";
import type { ChatModel, Conversation as Shown } from "../../../client/core/chat-model.ts";
import { countOf, itemAt, itemKey } from "../../../client/core/message-list.ts";
import { harmless } from "../../../protocol/harmless.ts";
import type { Page } from "../page.ts";
import { Composer } from "./composer.tsx";
import { dayOf, Message, type MessageParts } from "./message.tsx";
import { Dot } from "./sidebar.tsx";

interface Parts {
  readonly page: Page;
  readonly chat: ChatModel;
  readonly present: Shown;
}

/** The most items that are drawn at first; more are drawn when the person scrolls up. */
const drawnFirst = 120;
const drawnMore = 120;
/** Within this distance of an end, in pixels, the person is at this end. */
const nearEnd = 40;
const nearOldest = 600;

/** One conversation: its title, its messages and the line to write in. */
export function Conversation({ page, chat, present }: Parts) {
  const { words } = page;
  const { target, key } = present;
  const name = target === undefined ? words("page.nothingOpen") : harmless(key);
  return (
    <section class="conversation" aria-label={name}>
      <header>
        <button
          type="button"
          class="quiet back"
          aria-label={words("page.back")}
          onClick={() => page.change({ showsList: true })}
        >
          ‹
        </button>
        <h2>
          <bdi>{name}</bdi>
        </h2>
        {target?.user !== undefined && <Dot state={chat.presence.get(target.user)} page={page} />}
        {target !== undefined && (
          <button type="button" class="quiet" onClick={() => leave(page)}>
            {words("page.leave")}
          </button>
        )}
      </header>
      <Messages page={page} chat={chat} present={present} />
      <Composer page={page} chat={chat} present={present} />
    </section>
  );
}

function leave(page: Page): void {
  const text = page.model.chat?.editor.graphemes.join("") ?? "";
  page.dispatch({ type: "written", text: "/part" });
  page.dispatch({ type: "submitted" });
  page.dispatch({ type: "written", text });
}

function Messages({ page, chat, present }: Parts) {
  const { words } = page;
  const list = useRef<HTMLDivElement>(null);
  const [drawn, setDrawn] = useState(drawnFirst);
  const count = countOf(present);
  const first = Math.max(0, count - drawn);
  useScroll(list, { present, count, first });
  const items = messageParts({ page, chat, present }, first);
  const scrolled = () => {
    const { current } = list;
    if (current === null || document.hidden) return;
    // On a narrow screen the list of conversations may hide the messages.
    const isHidden = current.clientHeight === 0;
    const below = current.scrollHeight - current.scrollTop - current.clientHeight;
    page.dispatch({ type: "looks", isAtEnd: !isHidden && below < nearEnd });
    if (isHidden) return;
    if (current.scrollTop > nearOldest) return;
    if (first > 0) setDrawn(drawn + drawnMore);
    else page.dispatch({ type: "wantsOlder" });
  };
  // A conversation that does not fill its pane can't be scrolled, but may have older messages.
  useEffect(scrolled, [present.older, present.isFetching, first, page.model.showsList]);
  const name = present.target === undefined ? "Tertulia" : harmless(present.key);
  return (
    <div class="pane">
      <div
        ref={list}
        class="messages"
        role="log"
        aria-label={words("page.messagesOf", { name })}
        // Older messages, which come while the person reads older ones, are not announced.
        aria-live={present.anchor === undefined ? "polite" : "off"}
        aria-busy={present.isFetching}
        tabIndex={count === 0 ? 0 : -1}
        onScroll={scrolled}
        onKeyDown={(event) => move(event)}
      >
        <p class="edge">{edgeOf({ page, chat, present }, first)}</p>
        {items.map((parts) => (
          <Message key={itemKey(parts.item)} {...parts} />
        ))}
      </div>
      {present.anchor !== undefined && (
        <button
          type="button"
          class="to-end"
          onClick={() => page.dispatch({ type: "looks", isAtEnd: true })}
        >
          {present.unread > 0
            ? words("page.newer", { count: present.unread })
            : words("page.toNewest")}
        </button>
      )}
    </div>
  );
}

function edgeOf({ page, present }: Parts, first: number): string {
  if (present.target === undefined) return page.words("page.welcome");
  if (present.isFetching) return page.words("chat.loading");
  return first === 0 && present.older === undefined ? page.words("chat.beginning") : "";
}

function messageParts({ page, chat, present }: Parts, first: number): MessageParts[] {
  const count = countOf(present);
  const parts: MessageParts[] = [];
  let day = first > 0 ? dayOf(itemAt(present, first - 1), chat.language) : undefined;
  for (let at = first; at < count; at += 1) {
    const item = itemAt(present, at);
    if (item === undefined) continue;
    const itsDay = dayOf(item, chat.language) ?? day;
    const isNewDay = itsDay !== day;
    day = itsDay;
    const before = itemAt(present, at - 1);
    const isNew = itemKey(item) === present.firstNew;
    const follows =
      !isNewDay &&
      !isNew &&
      item.kind !== "notice" &&
      before !== undefined &&
      before.kind !== "notice" &&
      authorOf(before) === authorOf(item) &&
      Math.abs(item.timeMs - before.timeMs) < 300_000;
    parts.push({
      item,
      words: page.words,
      language: chat.language,
      me: chat.me,
      day: isNewDay ? itsDay : undefined,
      isNew,
      follows,
      isLast: at === count - 1,
    });
  }
  return parts;
}

/** Keeps the newest message in view, or what the person reads while other messages come. */
function useScroll(
  list: { readonly current: HTMLDivElement | null },
  { present, count, first }: { present: Shown; count: number; first: number },
): void {
  const before = useRef({ height: 0, oldest: "" });
  const item = itemAt(present, first);
  const oldest = item === undefined ? "" : itemKey(item);
  const isAtEnd = present.anchor === undefined;
  useLayoutEffect(() => {
    const { current } = list;
    if (current === null) return;
    const { height, oldest: earlier } = before.current;
    if (isAtEnd) current.scrollTop = current.scrollHeight;
    else if (oldest !== earlier) current.scrollTop += current.scrollHeight - height;
    before.current = { height: current.scrollHeight, oldest };
  }, [isAtEnd, count, oldest, present.items, present.isFetching]);
}

/** Moves the focus between messages: ↑ ↓ Home End; Escape goes back to the line. */
function move(event: KeyboardEvent): void {
  const { key, currentTarget, target, ctrlKey, altKey, metaKey } = event;
  if (ctrlKey || altKey || metaKey || !(currentTarget instanceof HTMLElement)) return;
  if (key === "Escape") return document.getElementById("line")?.focus();
  const all = [...currentTarget.querySelectorAll<HTMLElement>("article")];
  const present = target instanceof Element ? target.closest("article") : null;
  const at = present === null ? -1 : all.indexOf(present);
  const steps: Readonly<Record<string, number>> = {
    ArrowUp: at < 0 ? all.length - 1 : at - 1,
    ArrowDown: at + 1,
    Home: 0,
    End: all.length - 1,
  };
  const to = steps[key];
  if (to === undefined) return;
  event.preventDefault();
  all[Math.max(0, Math.min(all.length - 1, to))]?.focus();
}
