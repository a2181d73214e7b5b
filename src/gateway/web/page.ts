import { beginning, type ChatModel } from "../../client/core/chat-model.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { parseUserName, type UserName } from "../../protocol/ids.ts";
import { textsIn } from "../../texts/texts.ts";
import { nowMs, pause, zoneMinutes } from "./browser.ts";
import { ChatShell } from "./chat-shell.ts";
import { ClusterWatch } from "./cluster-watch.ts";
import { nothingSeen } from "./core/cluster-model.ts";
import type { LinkState, PageModel, Preferences } from "./core/page-model.ts";
import type { PageEvent } from "./core/page-update.ts";
import { sentenceOf } from "./core/sentence.ts";
import { GatewayApi } from "./gateway-api.ts";
import { readPreferences, writePreferences } from "./saved.ts";

/** What the person enters to get in. */
export interface Entrance {
  readonly user: string;
  readonly password: string;
  /** Undefined to log in; to register: the invitation, or an empty text. */
  readonly invitation: string | undefined;
}

const tickMs = 1_000;

/** Holds the page's model: passes events to the core, performs effects, and draws the page. */
export class Page {
  readonly #draw: (page: Page) => void;
  readonly #api = new GatewayApi();
  /** Looks at the cluster; undefined in the chat. */
  readonly watch: ClusterWatch | undefined;
  #model: PageModel;
  #shell: ChatShell | undefined;
  #isDrawing = false;

  /** @param place which of the two the page shows */
  constructor(draw: (page: Page) => void, place: "chat" | "cluster") {
    this.#draw = draw;
    const isCluster = place === "cluster";
    if (isCluster) this.watch = new ClusterWatch(this.#api, (cluster) => this.change({ cluster }));
    this.#model = {
      preferences: readPreferences(),
      hasAccounts: undefined,
      chat: undefined,
      isEnded: false,
      link: { state: isCluster ? "connected" : "connecting" },
      cluster: isCluster ? nothingSeen(nowMs()) : undefined,
      dialog: undefined,
      showsList: true,
      nowMs: nowMs(),
    };
  }

  get model(): PageModel {
    return this.#model;
  }

  get words() {
    return textsIn(this.#model.preferences.language);
  }

  /** Shows the cluster, or finds out the logged-in user and shows the chat or the log-in. */
  async start(): Promise<void> {
    this.#listen();
    this.change({});
    if (this.watch === undefined) await this.#look();
    else this.watch.start();
  }

  async #whoIsThere(): Promise<string | undefined> {
    try {
      return await this.#api.session();
    } catch (error) {
      if (error instanceof ProtocolError && !error.retry) return undefined;
      throw error;
    }
  }

  /** Asks for the logged-in user until a gateway answers. */
  async #look(): Promise<void> {
    for (;;) {
      try {
        const user = await this.#whoIsThere();
        if (user !== undefined) return this.#enter(user);
        const hasAccounts = await this.#api.hasAccounts();
        return this.change({ hasAccounts, link: { state: "connected" } });
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        const retryAtMs = nowMs() + tickMs;
        this.change({ link: { state: "lost", why: "noGateway", retryAtMs } });
        await pause(tickMs);
      }
    }
  }

  /** @throws ProtocolError */
  async enter({ user, password, invitation }: Entrance): Promise<void> {
    parseUserName(user);
    if (invitation !== undefined) await this.#api.register(user, password, invitation);
    await this.#api.logIn(user, password);
    if (this.watch !== undefined) return this.watch.knock();
    const name = await this.#api.session();
    if (this.#shell !== undefined && this.#model.chat?.me === name) {
      this.change({ isEnded: false });
      return this.#shell.loggedIn();
    }
    this.#enter(name);
  }

  async logOut(): Promise<void> {
    this.#leave();
    this.change({ hasAccounts: undefined });
    await this.#api.logOut().catch(() => {});
    if (this.watch === undefined) await this.#look();
    else this.watch.knock();
  }

  /** Returns whether the person may see the cluster at work. */
  mayWatch(): Promise<boolean> {
    return this.#api.mayTrace().catch(() => false);
  }

  describe(error: unknown): string {
    if (error instanceof ProtocolError) return sentenceOf(error, this.words);
    return String(error);
  }

  change(changed: Partial<PageModel>): void {
    this.#model = { ...this.#model, ...changed };
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    queueMicrotask(() => {
      this.#isDrawing = false;
      this.#draw(this);
    });
  }

  prefer(changed: Partial<Preferences>): void {
    const preferences = { ...this.#model.preferences, ...changed };
    writePreferences(preferences);
    this.change({ preferences });
    const { language } = preferences;
    this.dispatch({ type: "language", language, words: textsIn(language) });
  }

  dispatch(event: PageEvent): void {
    this.#shell?.dispatch(event);
  }

  /** Tries to connect now. */
  retry(): void {
    this.#shell?.retry();
  }

  /** Fetches all names, for the quick switch. */
  names(): void {
    this.#shell?.names();
  }

  #enter(user: string): void {
    this.#leave();
    const { language } = this.#model.preferences;
    const chat = beginning({
      me: user as UserName,
      words: textsIn(language),
      language,
      // The core of the terminal's chat wraps lines; the page leaves this to the browser.
      size: { columns: 80, rows: 24 },
      nowMs: nowMs(),
      zoneMinutes,
    });
    this.#shell = new ChatShell({
      api: this.#api,
      chat,
      onChat: (changed: ChatModel) => this.change({ chat: changed }),
      onLink: (link: LinkState) => this.change({ link, nowMs: nowMs() }),
      onEnded: () => this.change({ isEnded: true }),
      onLeave: () => void this.logOut(),
      prefer: (changed) => this.prefer(changed),
      notifies: () => this.#model.preferences.notifies,
      onHelp: () => this.change({ dialog: "help" }),
    });
    this.change({ chat, isEnded: false, showsList: true, dialog: undefined });
    void this.#shell.start();
  }

  #leave(): void {
    this.#shell?.close();
    this.#shell = undefined;
    this.change({ chat: undefined, isEnded: false, dialog: undefined });
  }

  #listen(): void {
    setInterval(() => {
      if (this.#model.link.state === "lost") this.change({ nowMs: nowMs() });
    }, tickMs);
    addEventListener("online", () => this.retry());
    addEventListener("offline", () => this.retry());
    addEventListener("focus", () => this.retry());
    document.addEventListener("visibilitychange", () => {
      this.#shell?.see(!document.hidden);
      if (!document.hidden) this.retry();
    });
    addEventListener("pagehide", () => this.#shell?.save());
  }
}
