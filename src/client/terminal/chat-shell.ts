import { setMaxListeners } from "node:events";
import { now, zoneMinutes } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { Problem } from "../../platform/problem.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { UserName } from "../../protocol/ids.ts";
import type { Entry } from "../../protocol/publications.ts";
import type { FileTrouble } from "../../storage/kept-file.ts";
import { type ClientEvents, type Context, speak } from "../commands/context.ts";
import { describe, describeTrouble, wantsLogin } from "../commands/failure.ts";
import type { ConnectionState } from "../connection-watch.ts";
import type { ChatEffect, ChatEvent } from "../core/chat-events.ts";
import { beginning, type ChatModel } from "../core/chat-model.ts";
import { update } from "../core/chat-update.ts";
import { view } from "../core/chat-view.ts";
import { savedOf } from "../core/saved-chat.ts";
import type { Outbox } from "../outbox.ts";
import type { PersonFiles } from "../person-files.ts";
import type { Session } from "../session.ts";
import { ChatSession } from "./chat-session.ts";
import { ChatWork } from "./chat-work.ts";
import { openDuel } from "./duel-screen.ts";
import { FullTerminal } from "./full-terminal.ts";
import type { LoginFlow } from "./login-flow.ts";
import { PromptEnded } from "./prompts.ts";
import { SendLoop } from "./send-loop.ts";

export interface ChatShellParts {
  readonly context: Context;
  readonly client: Session;
  readonly events: ClientEvents;
  readonly user: UserName;
  readonly loginFlow: LoginFlow;
  readonly files: PersonFiles;
  readonly outbox: Outbox;
  readonly log: Log;
}

/** Shortest time between two drawings; `keyFrameMs` applies if a key causes the second drawing. */
const frameMs = 33;
const keyFrameMs = 8;
const tickMs = 1_000;
const leaveMs = 300;

/**
 * @returns a controller whose signal may have any number of listeners. By default, Node warns if a
 * signal has more than ten
 */
function quitting(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

/**
 * Holds the chat's model: passes events to the core, performs the core's effects, and draws the
 * screen.
 */
export class ChatShell {
  readonly #parts: ChatShellParts;
  readonly #session: ChatSession;
  readonly #terminal: FullTerminal;
  readonly #work: ChatWork;
  readonly #sending: SendLoop;
  readonly #quitting = quitting();
  #model: ChatModel;
  /** Publications that arrived since the last drawing. */
  #entries: Entry[] = [];
  #drawing: { readonly timer: NodeJS.Timeout; readonly atMs: number } | undefined;
  #drawnMs = Number.NEGATIVE_INFINITY;
  /**
   * True after the newest messages were shown. Notices about the person's files wait for this,
   * because the newest messages would push a notice out of sight.
   */
  #hasBegun = false;
  /** Sentences about the person's files that the screen has not shown. */
  readonly #troubles: string[] = [];
  #fail: (error: unknown) => void = () => {};
  /** Resolves when the person has left the last match. */
  #dueling: Promise<void> | undefined;

  constructor(parts: ChatShellParts) {
    this.#parts = parts;
    const { context, user, files, log } = parts;
    this.#terminal = new FullTerminal(
      context.host,
      {
        onKey: (key) => this.#dispatch({ type: "key", key }, keyFrameMs),
        onResize: () => this.#dispatch({ type: "resize", size: this.#terminal.size }),
      },
      context.output.look,
    );
    this.#model = beginning({
      me: user,
      words: context.text,
      language: context.language,
      size: this.#terminal.size,
      nowMs: now().wallMs,
      zoneMinutes,
    });
    const { signal } = this.#quitting;
    const session = new ChatSession({ ...parts, signal, logIn: (error) => this.#logIn(error) });
    const dispatch = (event: ChatEvent) => {
      if (!signal.aborted) this.#dispatch(event);
    };
    this.#session = session;
    this.#work = new ChatWork({ session, dispatch, hear: (entry) => this.#hear(entry) });
    const watch = (work: Promise<void>) => this.#watch(work);
    this.#sending = new SendLoop({ ...parts, session, dispatch, watch });
    files.onTrouble = (trouble) => this.#trouble(trouble);
    files.onNotSaved = ({ message }) => log.warn(`What was read can't be kept: ${message}`);
  }

  /** Runs until the person quits or the signal is aborted. */
  async run(stopping: AbortSignal): Promise<void> {
    const { context, files, client, outbox, events, log } = this.#parts;
    stopping.addEventListener("abort", () => this.#quitting.abort(), { once: true });
    const ended = new Promise<void>((resolve, reject) => {
      this.#quitting.signal.addEventListener("abort", () => resolve(), { once: true });
      this.#fail = reject;
    });
    if (stopping.aborted) return;
    const ticking = setInterval(
      () => this.#dispatch({ type: "tick", nowMs: now().wallMs }),
      tickMs,
    );
    // Without this listener, Node would write its warnings across the screen.
    using _warnings = context.host.onWarning((warning) => log.warn(warning));
    using terminal = this.#terminal;
    terminal.open();
    for (const trouble of outbox.troubles) this.#trouble(trouble);
    events.onState = (state) => {
      log.info({ state }, "Connection");
      this.#connection(state);
    };
    events.onRetry = (inMs) => this.#retry(inMs);
    events.onRefused = (error) => this.#refused(error);
    events.onState(client.connection.state);
    log.info("The chat begins");
    try {
      this.#watch(this.#work.start(files.read()).then(() => this.#begun()));
      await ended;
    } finally {
      clearInterval(ticking);
      clearTimeout(this.#drawing?.timer);
      this.#hasBegun = false;
      files.saveNow();
      terminal.close();
      for (const told of this.#troubles) context.output.note(told);
      log.info("The chat ends");
      await this.#work.leave(leaveMs);
    }
  }

  #connection(state: ConnectionState, retryAtMs?: number): void {
    const connection = state === "reconnecting" ? { state, retryAtMs } : { state };
    this.#dispatch({ type: "connection", connection });
  }

  #retry(inMs: number): void {
    if (this.#model.connection.state !== "reconnecting") return;
    const { wallMs } = now();
    this.#dispatch({ type: "tick", nowMs: wallMs });
    this.#connection("reconnecting", wallMs + inMs);
  }

  /** Handles a refused subscription. After a login, the subscription resumes where it stopped. */
  #refused(error: ProtocolError): void {
    // The refusal may concern a session that a login has replaced. `checkSession` lets the person
    // log in only if the present session has ended.
    if (wantsLogin(error)) return this.#watch(this.#work.checkSession());
    if (!this.#session.isNews(error)) return;
    const lines = [describe(error, this.#parts.context.text)];
    this.#dispatch({ type: "notice", lines, isProblem: true, isAside: true });
  }

  #begun(): void {
    this.#hasBegun = true;
    this.#tellTroubles();
    this.#sending.start();
  }

  #trouble(trouble: FileTrouble): void {
    const told = describeTrouble(trouble, this.#parts.context.text);
    this.#parts.log.warn(told);
    this.#troubles.push(told);
    if (this.#hasBegun) this.#tellTroubles();
  }

  #tellTroubles(): void {
    const lines = this.#troubles.splice(0);
    if (lines.length === 0) return;
    this.#dispatch({ type: "notice", lines, isProblem: true, isAside: true });
  }

  #dispatch(event: ChatEvent, withinMs = frameMs): void {
    this.#apply(event);
    this.#drawWithin(withinMs);
  }

  #apply(event: ChatEvent): void {
    const { model, effects } = update(this.#model, event);
    this.#model = model;
    for (const effect of effects) this.#perform(effect);
  }

  #hear(entry: Entry): void {
    this.#entries.push(entry);
    this.#drawWithin(frameMs);
  }

  #perform(effect: ChatEffect): void {
    const { files } = this.#parts;
    switch (effect.type) {
      case "send":
        return this.#sending.add(effect.target, effect.text);
      case "join":
        return this.#watch(this.#work.join(effect.target, effect.read));
      case "create":
        return this.#watch(this.#work.create(effect.channel));
      case "part":
        return this.#work.part(effect.channel);
      case "fetch":
        return this.#watch(this.#work.fetch(effect.target, effect.before));
      case "search":
        return this.#watch(this.#work.search(effect.target, effect.words));
      case "ask":
        return this.#watch(this.#work.answer(effect.question));
      case "names":
        return this.#watch(this.#work.names());
      case "away":
        return this.#watch(this.#work.away(effect.isAway));
      case "language":
        return this.#setLanguage(effect.name);
      case "save":
        files.saveSoon(() => savedOf(this.#model));
        return effect.isUrgent ? files.saveNow() : undefined;
      case "show":
        return this.#terminal.show(effect.lines);
      case "suspend":
        return this.#terminal.suspend();
      case "duel":
        return this.#watch(this.#duel());
      case "redraw":
        return this.#terminal.forget();
      case "quit":
        return this.#quitting.abort();
      default:
        return effect satisfies never;
    }
  }

  /** Ends the chat with an error if background work fails, which only a defect can cause. */
  #watch(work: Promise<unknown>): void {
    work.catch((error) => {
      if (!this.#quitting.signal.aborted) this.#fail(error);
    });
  }

  #setLanguage(name: string): void {
    const { context } = this.#parts;
    try {
      speak(context, name);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return this.#dispatch({ type: "notice", lines: [error.message], isProblem: true });
    }
    const { language, text } = context;
    this.#dispatch({ type: "language", language, words: text });
  }

  /** Shows a match in place of the chat, until the person leaves it. */
  async #duel(): Promise<void> {
    const { context, client, user } = this.#parts;
    const { signal } = this.#quitting;
    this.#terminal.close();
    this.#dueling = openDuel({ context, client, user, rules: "duel", watched: undefined }, signal);
    try {
      await this.#dueling;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      const lines = [describe(error, context.text)];
      this.#dispatch({ type: "notice", lines, isProblem: true });
    }
    if (signal.aborted) return;
    this.#terminal.open();
    this.#drawWithin(0);
  }

  /** Lets the person log in again. A person who declines quits the chat. */
  async #logIn(error: ProtocolError): Promise<boolean> {
    const { loginFlow, user, context } = this.#parts;
    // A question would cover the match.
    await this.#dueling?.catch(() => {});
    this.#terminal.close();
    context.output.line(describe(error, context.text));
    try {
      if (await loginFlow.again(user, "menu.askPasswordOrQuit")) {
        this.#terminal.open();
        this.#drawWithin(0);
        return true;
      }
    } catch (ended) {
      if (!(ended instanceof PromptEnded)) throw ended;
    }
    this.#quitting.abort();
    return false;
  }

  #drawWithin(ms: number): void {
    const { steadyMs } = now();
    const atMs = Math.max(steadyMs, this.#drawnMs + ms);
    if (this.#drawing !== undefined) {
      if (this.#drawing.atMs <= atMs) return;
      clearTimeout(this.#drawing.timer);
    }
    const timer = setTimeout(() => this.#draw(), atMs - steadyMs);
    this.#drawing = { timer, atMs };
  }

  #draw(): void {
    this.#drawing = undefined;
    this.#drawnMs = now().steadyMs;
    const entries = this.#entries.splice(0);
    if (entries.length > 0) this.#apply({ type: "entries", entries });
    this.#terminal.draw(view(this.#model));
  }
}
