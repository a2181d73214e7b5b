import { setMaxListeners } from "node:events";
import { now } from "../../platform/clock.ts";
import type { Log } from "../../platform/log.ts";
import { errorCode } from "../../platform/problem.ts";
import type { ProtocolError } from "../../protocol/errors.ts";
import type { UserName } from "../../protocol/ids.ts";
import type { Entry } from "../../protocol/publications.ts";
import type { FileTrouble } from "../../storage/kept-file.ts";
import { languageOf, type Text, textsIn } from "../../texts/texts.ts";
import type { ChatClient } from "../chat-client.ts";
import type { Context } from "../commands/context.ts";
import { describe, describeTrouble, wantsLogin } from "../commands/failure.ts";
import { zoneMinutes } from "../commands/output.ts";
import type { ConnectionState } from "../connection-watch.ts";
import type { ChatEffect, ChatEvent } from "../core/chat-events.ts";
import { beginning, type ChatModel } from "../core/chat-model.ts";
import { update } from "../core/chat-update.ts";
import { view } from "../core/chat-view.ts";
import { savedOf } from "../core/saved-chat.ts";
import type { Outbox } from "../outbox.ts";
import type { PersonFiles } from "../person-files.ts";
import type { ChatPorts } from "./chat-ports.ts";
import { chatWords } from "./chat-words.ts";
import { ChatWork } from "./chat-work.ts";
import { askOn, type Entrance } from "./entrance.ts";
import { FullTerminal } from "./full-terminal.ts";
import { PromptEnded } from "./prompts.ts";
import { SendLoop } from "./send-loop.ts";

export interface ChatShellParts {
  readonly context: Context;
  readonly client: ChatClient;
  readonly user: UserName;
  readonly entrance: Entrance;
  readonly files: PersonFiles;
  readonly outbox: Outbox;
  readonly log: Log;
}

/** Between two drawings, however much comes in; and after a key. */
const frameMs = 33;
const keyFrameMs = 8;
const tickMs = 1_000;
/** What was read is saved so often, at most. */
const saveMs = 1_000;
const leaveMs = 300;

/** As much as waits at once may wait for it. */
function quitting(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

/** Holds the model: hands events to the core, performs its effects, draws what it shows. */
export class ChatShell {
  readonly #parts: ChatShellParts;
  readonly #terminal: FullTerminal;
  readonly #work: ChatWork;
  readonly #sending: SendLoop;
  readonly #quitting = quitting();
  #model: ChatModel;
  #text: Text;
  /** Publications that came since the last drawing. */
  #entries: Entry[] = [];
  #drawing: { readonly timer: NodeJS.Timeout; readonly atMs: number } | undefined;
  #drawnMs = Number.NEGATIVE_INFINITY;
  #saving: NodeJS.Timeout | undefined;
  #isSaved = true;
  /** Why others' messages do not come any more, as the person was told. */
  #refusal: string | undefined;
  #loggingIn: Promise<void> | undefined;
  /** The newest messages are shown. A notice before that would stand above them, out of sight. */
  #hasBegun = false;
  /** Sentences about the person's files that the screen has not shown yet. */
  readonly #troubles: string[] = [];
  #fail: (error: unknown) => void = () => {};

  constructor(parts: ChatShellParts) {
    this.#parts = parts;
    const { context, user, client } = parts;
    this.#text = context.text;
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
      words: chatWords(context.text),
      language: context.language,
      size: this.#terminal.size,
      nowMs: now().wallMs,
      zoneMinutes,
    });
    const ports: ChatPorts = {
      dispatch: (event) => this.#dispatch(event),
      hear: (entry) => this.#hear(entry),
      ask: (request) => this.#ask(request),
      text: () => this.#text,
      signal: this.#quitting.signal,
    };
    this.#work = new ChatWork({ ...ports, context, client, user });
    this.#sending = new SendLoop({ ...ports, ...parts, watch: (work) => this.#watch(work) });
  }

  /** Until the person quits, or the signal comes. */
  async run(stopping: AbortSignal): Promise<void> {
    const { files, client, log } = this.#parts;
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
    // They would stand across the screen.
    using _warnings = this.#parts.context.host.onWarning((warning) => log.warn(warning));
    using terminal = this.#terminal;
    terminal.open();
    files.onTrouble = (trouble) => this.#trouble(trouble);
    for (const trouble of this.#parts.outbox.troubles) this.#trouble(trouble);
    this.connection(client.state);
    log.info("The chat begins");
    try {
      this.#watch(this.#work.start(files.read()).then(() => this.#begun()));
      await ended;
    } finally {
      clearInterval(ticking);
      clearTimeout(this.#drawing?.timer);
      clearTimeout(this.#saving);
      this.#hasBegun = false;
      this.#save();
      terminal.close();
      for (const told of this.#troubles) this.#parts.context.output.note(told);
      log.info("The chat ends");
      await this.#work.leave(leaveMs);
    }
  }

  /** Of the language that is spoken now. */
  get text(): Text {
    return this.#text;
  }

  connection(state: ConnectionState): void {
    this.#parts.log.info({ state }, "Connection");
    const retryAtMs = undefined;
    const connection = state === "reconnecting" ? { state, retryAtMs } : { state };
    this.#dispatch({ type: "connection", connection });
  }

  retry(inMs: number): void {
    if (this.#model.connection.state !== "reconnecting") return;
    const { wallMs } = now();
    this.#dispatch({ type: "tick", nowMs: wallMs });
    const connection = { state: "reconnecting", retryAtMs: wallMs + inMs } as const;
    this.#dispatch({ type: "connection", connection });
  }

  /** A subscription isn't served any more: after a login it goes on where it was. */
  refused(error: ProtocolError): void {
    if (wantsLogin(error)) return this.#watch(this.#logInAgain(error));
    // It is tried again and again: once is enough to be told.
    if (error.message === this.#refusal) return;
    this.#refusal = error.message;
    const lines = [describe(error, this.#text)];
    this.#dispatch({ type: "notice", lines, isProblem: true, isAside: true });
  }

  #begun(): void {
    this.#hasBegun = true;
    this.#tellTroubles();
    this.#sending.start();
  }

  #trouble(trouble: FileTrouble): void {
    const told = describeTrouble(trouble, this.#text);
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
    const { model, effects } = update(this.#model, event);
    this.#model = model;
    for (const effect of effects) this.#perform(effect);
    this.#drawWithin(withinMs);
  }

  #hear(entry: Entry): void {
    this.#entries.push(entry);
    this.#drawWithin(frameMs);
  }

  #perform(effect: ChatEffect): void {
    const { user } = this.#parts;
    switch (effect.type) {
      case "send":
        return this.#sending.add(user, effect.target, effect.text);
      case "join":
        return this.#watch(this.#work.join(effect.target, effect.read));
      case "create":
        return this.#watch(this.#work.create(effect.channel));
      case "part":
        return this.#work.part(effect.channel);
      case "fetch":
        return this.#watch(this.#work.fetch(effect.target, effect.before));
      case "ask":
        return this.#watch(this.#work.answer(effect.question));
      case "names":
        return this.#watch(this.#work.names());
      case "away":
        return this.#watch(this.#work.away(effect.isAway));
      case "language":
        return this.#setLanguage(effect.name);
      case "save":
        return this.#saveSoon(effect.isUrgent);
      case "show":
        return this.#terminal.show(effect.lines);
      case "suspend":
        return this.#terminal.suspend();
      case "redraw":
        return this.#terminal.forget();
      case "quit":
        return this.#quitting.abort();
      default:
        return effect satisfies never;
    }
  }

  /** A defect in what nobody waits for ends the chat, with its stack. */
  #watch(work: Promise<void>): void {
    work.catch((error) => {
      if (!this.#quitting.signal.aborted) this.#fail(error);
    });
  }

  #setLanguage(name: string): void {
    const language = languageOf(name);
    if (language === undefined) {
      const lines = [this.#text("problem.lang", { value: name })];
      return this.#dispatch({ type: "notice", lines, isProblem: true });
    }
    this.#text = textsIn(language);
    this.#dispatch({ type: "language", language, words: chatWords(this.#text) });
  }

  async #ask<T>(request: () => Promise<T>): Promise<T> {
    const { signal } = this.#quitting;
    const answer = await askOn(request, async (error) => {
      if (!signal.aborted) await this.#logInAgain(error);
      if (signal.aborted) throw error;
    });
    this.#refusal = undefined;
    return answer;
  }

  /** Whoever would rather not has quit. */
  #logInAgain(error: ProtocolError): Promise<void> {
    this.#loggingIn ??= this.#prompt(error).finally(() => {
      this.#loggingIn = undefined;
    });
    return this.#loggingIn;
  }

  async #prompt(error: ProtocolError): Promise<void> {
    const { entrance, user, context } = this.#parts;
    this.#terminal.close();
    context.output.line(describe(error, this.#text));
    try {
      if (!(await entrance.again(user, "menu.askPasswordOrQuit"))) return this.#quitting.abort();
    } catch (ended) {
      if (!(ended instanceof PromptEnded)) throw ended;
      return this.#quitting.abort();
    }
    this.#terminal.open();
    this.#drawWithin(0);
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
    if (entries.length > 0) {
      const { model, effects } = update(this.#model, { type: "entries", entries });
      this.#model = model;
      for (const effect of effects) this.#perform(effect);
    }
    this.#terminal.draw(view(this.#model));
  }

  #saveSoon(isUrgent: boolean): void {
    this.#isSaved = false;
    if (isUrgent) return this.#save();
    this.#saving ??= setTimeout(() => {
      this.#saving = undefined;
      this.#save();
    }, saveMs);
  }

  #save(): void {
    if (this.#isSaved) return;
    this.#isSaved = true;
    try {
      this.#parts.files.save(savedOf(this.#model));
    } catch (error) {
      // Then some of it counts as unread the next time.
      if (errorCode(error) === undefined) throw error;
      this.#parts.log.warn(`What was read can't be kept: ${(error as Error).message}`);
    }
  }
}
