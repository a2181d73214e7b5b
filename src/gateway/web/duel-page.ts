import { ProtocolError } from "../../protocol/errors.ts";
import type { Look, PlayerAction } from "../../protocol/game-requests.ts";
import { harmless } from "../../protocol/harmless.ts";
import type { RulesName } from "../../protocol/matches.ts";
import { textsIn } from "../../texts/texts.ts";
import type { GatewayFrame } from "../core/frames.ts";
import { nowMs, pause, randomHex } from "./browser.ts";
import {
  actionWith,
  afterOf,
  cardOfKey,
  type DuelModel,
  looked,
  type Means,
  mustEnter,
  type News,
  nothingPlayed,
  viewOf,
} from "./core/duel-model.ts";
import { sentenceOf } from "./core/sentence.ts";
import { asError, GatewayApi } from "./gateway-api.ts";
import { GatewayLink } from "./gateway-link.ts";
import { readPreferences } from "./saved.ts";

/** The countdown changes so often. */
const tickMs = 250;
/** An action whose answer was lost is sent again, so often and after such a time. */
const tries = 10;
const againMs = 500;
/** Milliseconds after which a game server that forgot the person's wish is asked again. */
const enterAgainMs = 2_000;

/** The page about matches: asks the gateway, and draws the model. */
export class DuelPage {
  readonly #draw: (page: DuelPage) => void;
  readonly #api = new GatewayApi();
  readonly #link: GatewayLink;
  #model: DuelModel;
  #isDrawing = false;
  #enteredMs = 0;

  /** @param of the user whose matches are watched; undefined to play */
  constructor(draw: (page: DuelPage) => void, of: string | undefined) {
    this.#draw = draw;
    this.#model = nothingPlayed({ preferences: readPreferences(), of, nowMs: nowMs() });
    this.#link = new GatewayLink({
      onState: (link) => this.change({ link, nowMs: nowMs() }),
      onOpen: () => this.#follow(),
      onFrame: (frame) => this.#take(frame),
      onEnded: () => this.change({ me: "" }),
    });
  }

  get model(): DuelModel {
    return this.#model;
  }

  get words() {
    return textsIn(this.#model.preferences.language);
  }

  /** Finds the user's session, and then shows how things stand. */
  async start(): Promise<void> {
    this.change({});
    setInterval(() => this.#tick(), tickMs);
    for (const event of ["online", "focus"]) addEventListener(event, () => this.#link.connect());
    for (;;) {
      try {
        this.change({ me: await this.#api.session() });
        return this.#link.connect();
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        if (!error.retry) return this.change({ me: "" });
        this.change({ problem: this.#describe(error) });
        await pause(tickMs * 4);
      }
    }
  }

  /** Looks for a match. */
  async enter(rules: RulesName): Promise<void> {
    this.#enteredMs = nowMs();
    this.change({ wants: rules });
    await this.#queue("POST", { rules });
  }

  /** Looks for a match no more. */
  async leave(): Promise<void> {
    this.change({ wants: undefined });
    await this.#queue("DELETE");
  }

  /** Leaves the result of a match. */
  close(): void {
    this.change({ look: { phase: "idle" }, events: [], problem: undefined });
  }

  /** Does something in the match, once, however often the answer is lost. */
  async act(action: PlayerAction): Promise<void> {
    const match = viewOf(this.#model)?.match;
    if (match === undefined || this.#model.isActing) return;
    this.change({ isActing: true, asksGiveUp: false, problem: undefined });
    try {
      await this.#actOnce({ type: "act", id: randomHex(8), match, action });
    } catch (error) {
      this.change({ problem: this.#describe(error) });
    }
    this.change({ isActing: false });
  }

  /** Plays the card that a key stands for. @returns whether the key was used */
  press(key: string): boolean {
    const view = viewOf(this.#model);
    const card = view && this.#model.hasKeys ? cardOfKey(view, key) : undefined;
    if (view === undefined || card === undefined) return false;
    const action = actionWith(view, card);
    if (action !== undefined) void this.act(action);
    return true;
  }

  /** Fetches what the person can play with. */
  async fetchMeans(): Promise<void> {
    try {
      const path = `/users/${encodeURIComponent(this.#model.me ?? "")}/cards`;
      const [owned, shop] = await Promise.all([
        this.#api.call<Pick<Means, "cards">>("GET", path),
        this.#api.call<Omit<Means, "cards">>("GET", "/shop"),
      ]);
      this.change({ means: { ...shop, ...owned } });
    } catch (error) {
      this.change({ problem: this.#describe(error) });
    }
  }

  change(changed: Partial<DuelModel>): void {
    this.#model = { ...this.#model, ...changed };
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    queueMicrotask(() => {
      this.#isDrawing = false;
      this.#draw(this);
    });
  }

  #follow(): void {
    const { of } = this.#model;
    const ask = this.#link.ask({ type: "duel", of, after: afterOf(this.#model) });
    ask.then((frame) => this.#take(frame)).catch((error) => this.#refused(error));
  }

  #take(frame: GatewayFrame): void {
    if (frame.type === "duel") this.#looked(frame);
    else if (frame.type === "error") this.#refused(asError(frame));
  }

  #refused(error: unknown): void {
    const isRetried = error instanceof ProtocolError && error.retry;
    if (!isRetried) this.change({ problem: this.#describe(error) });
    else if (this.#model.link.state === "connected") this.change({ isWithoutGame: true });
  }

  #looked(news: News): void {
    this.change(looked(this.#model, news, nowMs()));
  }

  async #queue(method: "POST" | "DELETE", body?: object): Promise<void> {
    try {
      const sent = body === undefined ? {} : { body };
      const look = await this.#api.call<Look>(method, "/duel/queue", sent);
      this.change({ problem: undefined });
      this.#looked({ look, timeMs: nowMs() + this.#model.aheadMs });
      // The gateway may still wait for news of the match before.
      this.#follow();
    } catch (error) {
      const isSeated = error instanceof ProtocolError && error.code === "seated";
      if (isSeated) return this.#follow();
      this.change({ problem: this.#describe(error) });
    }
  }

  async #actOnce(frame: object): Promise<void> {
    for (let left = tries; ; left -= 1) {
      try {
        await this.#link.ask(frame);
        return;
      } catch (error) {
        if (!(error instanceof ProtocolError && error.retry && left > 0)) throw error;
        await pause(againMs);
        await this.#link.connected();
      }
    }
  }

  #tick(): void {
    this.change({ nowMs: nowMs() });
    const { wants } = this.#model;
    if (wants === undefined || !mustEnter(this.#model)) return;
    if (nowMs() - this.#enteredMs >= enterAgainMs) void this.enter(wants);
  }

  #describe(error: unknown): string {
    return error instanceof ProtocolError ? sentenceOf(error, this.words) : harmless(String(error));
  }
}
