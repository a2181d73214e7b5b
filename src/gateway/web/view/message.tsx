import { Component } from "preact";
import { authorOf, isBy } from "../../../client/core/author.ts";
import type { Item } from "../../../client/core/chat-model.ts";
import { nameColour } from "../../../client/core/name-colour.ts";
import { actionPrefix, spokenText } from "../../../client/core/slash-command.ts";
import { harmless } from "../../../protocol/harmless.ts";
import type { Text } from "../../../texts/texts.ts";
import { piecesOf } from "../core/pieces.ts";

export interface MessageParts {
  readonly item: Item;
  readonly words: Text;
  readonly language: string;
  readonly me: string;
  /** The date, if the item is the first of its day. */
  readonly day: string | undefined;
  /** Whether the item is the first that is new since the person left. */
  readonly isNew: boolean;
  /** Whether the item follows soon after another one of the same author. */
  readonly follows: boolean;
  /** Whether Tab goes to this item of the list. */
  readonly isLast: boolean;
}

/** One item of a conversation. It is drawn again only if it has changed. */
export class Message extends Component<MessageParts> {
  override shouldComponentUpdate(next: MessageParts): boolean {
    const { item, language, me, day, isNew, follows, isLast } = this.props;
    return (
      next.item !== item ||
      next.language !== language ||
      next.me !== me ||
      next.day !== day ||
      next.isNew !== isNew ||
      next.follows !== follows ||
      next.isLast !== isLast
    );
  }

  override render({ day, isNew, words, ...parts }: MessageParts) {
    return (
      <>
        {day !== undefined && <p class="rule">{day}</p>}
        {isNew && <p class="rule is-new">{words("chat.newSince")}</p>}
        <Said day={day} isNew={isNew} words={words} {...parts} />
      </>
    );
  }
}

function Said({ item, words, language, me, follows, isLast }: MessageParts) {
  const tabIndex = isLast ? 0 : -1;
  if (item.kind === "notice") {
    const text = item.lines.map(harmless).join("\n");
    return (
      <article class={item.isProblem ? "notice is-problem" : "notice"} tabIndex={tabIndex}>
        {piecesOf(text, undefined).map(piece)}
      </article>
    );
  }
  const name = authorOf(item);
  const author = <bdi class={`author name-${nameColour(item.user)}`}>{name}</bdi>;
  const isAction = item.text.startsWith(actionPrefix);
  const pieces = piecesOf(spokenText(item.text), isBy(item, me) ? undefined : me);
  const time = timeOf(item.timeMs, language);
  const state = stateOf(item, { words, me });
  const said = pieces.map(({ text }) => text).join("");
  const classes = [
    "message",
    follows && !isAction ? "follows" : "",
    isAction ? "is-action" : "",
    item.kind === "message" ? "" : `is-${item.kind}`,
    pieces.some(({ isMention }) => isMention) ? "is-meant" : "",
  ];
  return (
    <article
      class={classes.join(" ")}
      tabIndex={tabIndex}
      aria-label={[`${name}: ${said}`, time, state?.word].filter(Boolean).join(", ")}
    >
      {!isAction && author}
      <div class="text" dir="auto">
        {isAction && <>* {author} </>}
        {pieces.map(piece)}
      </div>
      <span class="when">
        <time dateTime={isoOf(item.timeMs)}>{time}</time>
        {state !== undefined && (
          <span class="state" title={state.word}>
            {state.mark}
          </span>
        )}
      </span>
      {item.kind === "refused" && <p class="problem">{harmless(item.why)}</p>}
    </article>
  );
}

function piece({ text, isMention, link }: ReturnType<typeof piecesOf>[number], at: number) {
  const shown = isMention ? <mark key={at}>{text}</mark> : text;
  if (link === undefined) return shown;
  return (
    <a key={at} href={link} target="_blank" rel="noopener noreferrer">
      {shown}
    </a>
  );
}

function stateOf(
  item: Exclude<Item, { readonly kind: "notice" }>,
  { words, me }: Pick<MessageParts, "words" | "me">,
): { readonly mark: string; readonly word: string } | undefined {
  if (item.kind === "pending") return { mark: "◷", word: words("page.waits") };
  if (item.kind === "refused") return { mark: "✗", word: words("page.refused") };
  return isBy(item, me) ? { mark: "✓", word: words("page.stored") } : undefined;
}

function timeOf(timeMs: number, language: string): string {
  if (Number.isNaN(timeMs)) return "--:--";
  return new Date(timeMs).toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" });
}

function isoOf(timeMs: number): string | undefined {
  return Number.isNaN(timeMs) ? undefined : new Date(timeMs).toISOString();
}

/** @returns the date of an item; undefined for a notice, which has no time */
export function dayOf(item: Item | undefined, language: string): string | undefined {
  if (item === undefined || item.kind === "notice" || Number.isNaN(item.timeMs)) return undefined;
  return new Date(item.timeMs).toLocaleDateString(language, { dateStyle: "full" });
}
