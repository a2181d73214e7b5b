import { zoneMinutes } from "../../platform/clock.ts";
import { harmless } from "../../protocol/harmless.ts";
import type { ChannelName } from "../../protocol/ids.ts";
import type { Entry } from "../../protocol/publications.ts";
import { statusLines } from "../commands/status.ts";
import { linksOfTexts } from "../core/links.ts";
import { foundLines, mostFound, readFound } from "../core/search.ts";
import { commands, type Line } from "../core/slash-command.ts";
import type { ChatSession } from "./chat-session.ts";

/** Number of past entries shown when a channel is joined, and by `/history` without a number. */
export const usualHistory = 20;

/** A line that only asks a question. */
export type LineQuestion = Extract<
  Line,
  {
    readonly type:
      | "users"
      | "channels"
      | "who"
      | "time"
      | "history"
      | "search"
      | "links"
      | "status"
      | "help";
  }
>;

interface AnswerParts {
  readonly session: ChatSession;
  /** @throws Problem if no channel was joined */
  here(): { readonly channel: ChannelName };
  show(entry: Entry): void;
}

export async function answerLine(question: LineQuestion, parts: AnswerParts): Promise<void> {
  const { context, client } = parts.session;
  const { output, text } = context;
  switch (question.type) {
    case "users":
      for (const name of await client.users()) output.data({ user: name }, harmless(name));
      return;
    case "channels":
      for (const name of await client.channels()) output.data({ channel: name }, harmless(name));
      return;
    case "who":
      for (const present of await parts.session.presence()) {
        const away = present.state === "away" ? ` (${text("chat.away")})` : "";
        output.data(present, harmless(present.user) + away);
      }
      return;
    case "time": {
      const time = await client.time();
      return output.data({ time }, time);
    }
    case "history": {
      const limit = question.count ?? usualHistory;
      const { entries } = await client.history(parts.here(), { limit });
      for (const entry of entries) parts.show(entry);
      return;
    }
    case "search":
      return search(question.words, parts);
    case "links":
      return links(parts);
    case "status":
      for (const line of await statusLines(context, client)) output.data({ status: line }, line);
      return;
    case "help":
      for (const command of commands) {
        output.note(text(`chat.command.${command}`));
      }
      return;
    default:
      question satisfies never;
  }
}

async function search(words: string, { session, here, show }: AnswerParts): Promise<void> {
  const { context, client } = session;
  const { output, text } = context;
  const target = here();
  const { entries, next } = await readFound((page) => client.search(target, words, page), {
    most: mostFound,
  });
  for (const entry of entries) show(entry);
  const isCut = next !== undefined;
  const parts = { words: text, zoneMinutes };
  const [heading] = foundLines(parts, { target, words, entries, isCut });
  output.note(heading as string);
}

/** Prints the links of the channel's newest page. */
async function links({ session, here }: AnswerParts): Promise<void> {
  const { output, text } = session.context;
  const { channel } = here();
  const { entries } = await session.client.history({ channel });
  const found = linksOfTexts(entries.map(({ message }) => message));
  for (const link of found) output.data({ link }, link);
  if (found.length === 0) output.note(text("lines.noLinks", { name: `#${channel}` }));
}
