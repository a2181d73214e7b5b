import { type Author, authorOf, isBy } from "../../client/core/author.ts";
import type { ChatEffect } from "../../client/core/chat-events.ts";
import { type ChatModel, currentOf, find } from "../../client/core/chat-model.ts";
import { targetOf } from "../../client/core/chat-steps.ts";
import { mentionsOf } from "../../client/core/mentions.ts";
import { savedOf } from "../../client/core/saved-chat.ts";
import { spokenText } from "../../client/core/slash-command.ts";
import { type Target, writeTarget } from "../../client/core/target.ts";
import { harmless } from "../../protocol/harmless.ts";
import type { RequestId } from "../../protocol/ids.ts";
import type { Entry } from "../../protocol/publications.ts";
import { languageOf } from "../../texts/texts.ts";
import { nowMs, randomHex } from "./browser.ts";
import { ChatWork } from "./chat-work.ts";
import type { LinkState, Preferences } from "./core/page-model.ts";
import { type PageEvent, updatePage, withLine } from "./core/page-update.ts";
import { sentenceOf } from "./core/sentence.ts";
import type { GatewayApi } from "./gateway-api.ts";
import { GatewayLink } from "./gateway-link.ts";
import { Outbox } from "./outbox.ts";
import { type KeptChat, readChat, watchChat, writeChat } from "./saved.ts";
import { Subscriptions } from "./subscriptions.ts";

interface ChatShellParts {
  readonly api: GatewayApi;
  readonly chat: ChatModel;
  readonly onChat: (chat: ChatModel) => void;
  readonly onLink: (state: LinkState) => void;
  /** Called when the session has ended, and the person must log in again. */
  readonly onEnded: () => void;
  readonly onLeave: () => void;
  readonly onHelp: () => void;
  readonly prefer: (changed: Partial<Preferences>) => void;
  readonly notifies: () => boolean;
}

const saveMs = 500;
/** How long a connection that may have died with the network gets to answer. */
const doubtMs = 4_000;

/** Runs the chat of one person: its connection, its outbox and its model. */
export class ChatShell {
  readonly #parts: ChatShellParts;
  readonly #link: GatewayLink;
  readonly #subscriptions: Subscriptions;
  readonly #work: ChatWork;
  readonly #ending = new AbortController();
  readonly #kept: KeptChat;
  #outbox: Outbox | undefined;
  #chat: ChatModel;
  #saved: KeptChat["chat"];
  #saving: ReturnType<typeof setTimeout> | undefined;
  /** Entries that the next frame shows together. */
  #heard: Entry[] = [];
  #isConnected = false;
  #isLive = false;
  /** Whether the person saw the newest message when they left the page. */
  #wasAtEnd = true;
  #loggedIn: (() => void)[] = [];

  constructor(parts: ChatShellParts) {
    this.#parts = parts;
    this.#chat = parts.chat;
    this.#kept = readChat(parts.chat.me);
    this.#saved = this.#kept.chat;
    this.#link = new GatewayLink({
      onState: (state) => {
        this.#isConnected = state.state === "connected";
        parts.onLink(state);
      },
      onOpen: () => this.#opened(),
      onFrame: (frame) => this.#subscriptions.take(frame),
      onEnded: () => parts.onEnded(),
    });
    this.#subscriptions = new Subscriptions(this.#link, {
      onEntry: (entry) => this.#hear(entry),
      onGap: (key) => this.#gap(key),
      onRefused: (_, error) => this.#tell(sentenceOf(error, this.#chat.words)),
    });
    this.#work = new ChatWork({
      user: parts.chat.me,
      api: parts.api,
      link: this.#link,
      subscriptions: this.#subscriptions,
      words: () => this.#chat.words,
      dispatch: (event) => this.dispatch(event),
      logInAgain: () => this.#logInAgain(),
      signal: this.#ending.signal,
    });
  }

  async start(): Promise<void> {
    this.#link.connect();
    const unwatch = watchChat(this.#chat.me, ({ chat }) =>
      this.dispatch({ type: "readElsewhere", read: chat.read }),
    );
    this.#ending.signal.addEventListener("abort", unwatch);
    await Promise.all([this.#work.start(this.#kept), this.#openOutbox()]);
    this.#isLive = true;
    if (document.hidden) this.see(false);
  }

  /** The person has logged in again after their session ended. */
  loggedIn(): void {
    for (const resolve of this.#loggedIn.splice(0)) resolve();
    this.#link.connect();
  }

  dispatch(event: PageEvent): void {
    const { model, effects } = updatePage(this.#chat, event);
    if (model !== this.#chat) {
      this.#chat = model;
      this.#parts.onChat(model);
    }
    for (const effect of effects) this.#perform(effect);
  }

  /** Connects now, or doubts the connection. */
  retry(): void {
    if (this.#isConnected) void this.#work.beat(doubtMs).catch(() => {});
    else this.#link.connect();
  }

  /** Tells whether the page is visible. What arrives while it is hidden stays unread. */
  see(isVisible: boolean): void {
    if (!isVisible) this.#wasAtEnd = currentOf(this.#chat).anchor === undefined;
    this.dispatch({ type: "looks", isAtEnd: isVisible && this.#wasAtEnd });
  }

  names(): void {
    this.#work.names();
  }

  save(): void {
    clearTimeout(this.#saving);
    if (this.#chat.heard === undefined) return;
    const chat = savedOf(this.#chat);
    const position = this.#subscriptions.positionOf(`@${this.#chat.me}`);
    writeChat(this.#chat.me, this.#saved, { chat, position });
    this.#saved = chat;
  }

  close(): void {
    this.save();
    this.#ending.abort();
    this.#outbox?.close();
    this.#link.close();
  }

  #perform(effect: ChatEffect): void {
    switch (effect.type) {
      case "send":
        return void this.#send(effect.target, effect.text);
      case "join":
        return void this.#work.join(effect);
      case "create":
        return void this.#work.create(effect.channel);
      case "part":
        return this.#work.part(effect.channel);
      case "fetch":
        return void this.#work.fetch(effect);
      case "search":
        return void this.#work.search(effect);
      case "ask":
        return void this.#work.answer(effect.question);
      case "away":
        this.#work.isAway = effect.isAway;
        return void this.#work.beat().catch(() => {});
      case "language": {
        const language = languageOf(effect.name);
        if (language !== undefined) this.#parts.prefer({ language });
        return;
      }
      case "names":
        return this.#work.names();
      case "save":
        clearTimeout(this.#saving);
        this.#saving = setTimeout(() => this.save(), effect.isUrgent ? 0 : saveMs);
        return;
      case "quit":
        return this.#parts.onLeave();
      case "duel":
      case "redraw":
      case "show":
      case "suspend":
        return;
      default:
        effect satisfies never;
    }
  }

  async #send(target: Target, text: string): Promise<void> {
    const id = randomHex(16) as RequestId;
    const outgoing = { id, user: this.#chat.me, target, text, atMs: nowMs() };
    try {
      if (this.#outbox === undefined) throw new Error("there is no outbox");
      await this.#outbox.add(outgoing);
    } catch {
      // The text goes back to the person, because nothing else keeps it.
      this.#chat = withLine(this.#chat, text);
      this.#tell(this.#chat.words("page.notKept"));
    }
  }

  async #openOutbox(): Promise<void> {
    try {
      this.#outbox = await Outbox.open({
        user: this.#chat.me,
        onNews: (news) => this.dispatch(news),
        send: (outgoing) => this.#work.send(outgoing),
        describe: (error) => sentenceOf(error, this.#chat.words),
      });
    } catch {
      this.#tell(this.#chat.words("page.notKept"));
    }
    if (this.#ending.signal.aborted) this.#outbox?.close();
  }

  #opened(): void {
    this.#subscriptions.renew();
    void this.#work.beat().catch(() => {});
  }

  #hear(entry: Entry): void {
    this.#heard.push(entry);
    if (this.#heard.length > 1) return;
    // Not by animation frames, which a hidden page does not get.
    setTimeout(() => {
      const entries = this.#heard;
      this.#heard = [];
      this.dispatch({ type: "entries", entries });
      if (document.hidden && this.#isLive) for (const one of entries) this.#notify(one);
    });
  }

  #gap(key: string): void {
    const isPrivate = key.startsWith("@");
    // The entries before the gap come first.
    const entries = this.#heard.splice(0);
    if (entries.length > 0) this.dispatch({ type: "entries", entries });
    this.dispatch({ type: "gap", key: isPrivate ? undefined : key });
  }

  #notify(entry: Entry): void {
    const { me } = this.#chat;
    const author: Author = "channel" in entry ? entry : { user: entry.src };
    const name = authorOf(author);
    const key = writeTarget(targetOf(entry, me));
    const text = spokenText(entry.message);
    const isMeant = "dst" in entry || mentionsOf(text, me).length > 0;
    if (isBy(author, me) || !isMeant || find(this.#chat, key)?.isMuted) return;
    if (!this.#parts.notifies() || !("Notification" in window)) return;
    if (Notification.permission !== "granted") return;
    const title = "channel" in entry ? `${name} · ${harmless(key)}` : name;
    // Two tabs tell one message once, because their notifications have one tag.
    const shown = notification(title, { body: harmless(text), tag: entry.id });
    if (shown === undefined) return;
    shown.onclick = () => {
      window.focus();
      this.dispatch({ type: "opened", target: targetOf(entry, me) });
      shown.close();
    };
  }

  #tell(line: string): void {
    this.dispatch({ type: "notice", lines: [line], isProblem: true });
  }

  #logInAgain(): Promise<void> {
    this.#parts.onEnded();
    return new Promise((resolve) => this.#loggedIn.push(resolve));
  }
}

/** @returns undefined in browsers that allow pages no notifications, such as those of Android */
function notification(title: string, options: NotificationOptions): Notification | undefined {
  try {
    return new Notification(title, options);
  } catch {
    return undefined;
  }
}
