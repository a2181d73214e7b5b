import { harmless } from "../../protocol/harmless.ts";
import { type ChannelName, characters, type UserName } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { type ChatModel, change, currentOf, find } from "./chat-model.ts";
import {
  add,
  andThen,
  countUnread,
  goTo,
  notice,
  open,
  remove,
  type Step,
  still,
} from "./chat-steps.ts";
import { commandHelp } from "./help.ts";
import { submitted, textOf } from "./line-editor.ts";
import { linksOf } from "./links.ts";
import { turn } from "./paging.ts";
import { actionPrefix, type Line, parseLine } from "./slash-command.ts";
import { type Target, writeTarget } from "./target.ts";

/** Handles Enter: sends the line, or performs its command. */
export function submit(model: ChatModel): Step {
  const line = parseLine(textOf(model.editor));
  const isNew = model.isNew && line.type === "nothing";
  const left: ChatModel = { ...model, isNew, editor: submitted(model.editor) };
  switch (line.type) {
    case "nothing":
      return still(left);
    case "text":
    case "me": {
      const text = line.type === "me" ? actionPrefix + line.text : line.text;
      const { target } = currentOf(model);
      // A text that can't be sent stays in the input line.
      if (target === undefined) return problem(model, model.words("chat.noConversation"));
      return isTooLong(text) ? tooLong(model) : say(left, target, text);
    }
    case "message": {
      const { user, text } = line;
      const opened = goTo(left, { user });
      if (text === undefined) return opened;
      if (isTooLong(text)) return tooLong(model);
      return andThen(opened, (there) => say(there, { user }, text));
    }
    default:
      return perform(left, line);
  }
}

function say(model: ChatModel, target: Target, text: string): Step {
  return { model, effects: [{ type: "send", target, text }] };
}

function problem(model: ChatModel, line: string): Step {
  return still(notice(model, [line], true));
}

function isTooLong(text: string): boolean {
  return characters(text) > limits.messageCharacters;
}

function tooLong(model: ChatModel): Step {
  return problem(model, model.words("chat.tooLong", { most: limits.messageCharacters }));
}

type Command = Exclude<Line, { readonly type: "nothing" | "text" | "me" | "message" }>;

function perform(model: ChatModel, line: Command): Step {
  const { words } = model;
  switch (line.type) {
    case "join":
      return goTo(model, { channel: line.channel });
    case "create":
      return create(model, line.channel);
    case "part":
      return part(model, line.channel ? { channel: line.channel } : currentOf(model).target);
    case "mute":
      return mute(model, line.channel === undefined ? model.current : `#${line.channel}`);
    case "users":
    case "channels":
    case "status":
    case "time":
      return { model, effects: [{ type: "ask", question: line.type }] };
    case "who":
      return still(notice(model, [who(model)]));
    case "history":
      return line.count === undefined
        ? turn(model, "up")
        : problem(model, words("chat.historyPages"));
    case "search": {
      const { target } = currentOf(model);
      if (target === undefined) return problem(model, words("chat.noConversation"));
      return { model, effects: [{ type: "search", target, words: line.words }] };
    }
    case "links":
      return links(model);
    case "away": {
      const isAway = !model.isAway;
      const told = notice({ ...model, isAway }, [words(isAway ? "chat.isAway" : "chat.isBack")]);
      return { model: told, effects: [{ type: "away", isAway }] };
    }
    case "duel":
      return duel(model, line.user);
    case "lang":
      return { model, effects: [{ type: "language", name: line.language }] };
    case "help":
      return still({ ...model, overlay: { type: "help", top: 0 } });
    case "quit":
      return { model, effects: [{ type: "quit" }] };
    case "likeAction":
      return problem(model, words("chat.likeAction"));
    case "wrongUse": {
      const { usage } = commandHelp(words, line.command);
      return problem(model, words("chat.wrongUse", { usage }));
    }
    case "unknown":
      return problem(model, unknown(model, line));
    default:
      return line satisfies never;
  }
}

/** Looks for a match. If a user is named, first invites them by a private message. */
function duel(model: ChatModel, user: UserName | undefined): Step {
  const looking = (present: ChatModel): Step => ({ model: present, effects: [{ type: "duel" }] });
  if (user === undefined) return looking(model);
  const invited = andThen(goTo(model, { user }), (there) => {
    return say(there, { user }, there.words("duel.invitation"));
  });
  return andThen(invited, looking);
}

function unknown({ words }: ChatModel, line: Line & { readonly type: "unknown" }): string {
  const { suggestion } = line;
  const command = harmless(line.command);
  return suggestion === undefined
    ? words("chat.unknownHelp", { command })
    : words("chat.unknown", { command, suggestion });
}

/** Creates a channel. If the channel is in the list, only opens it. */
function create(model: ChatModel, channel: ChannelName): Step {
  const target: Target = { channel };
  const key = writeTarget(target);
  if (find(model, key) !== undefined) return goTo(model, target);
  return { model: open(add(model, target), key), effects: [{ type: "create", channel }] };
}

function part(model: ChatModel, target: Target | undefined): Step {
  const { words } = model;
  if (target === undefined) return problem(model, words("chat.noConversation"));
  const key = writeTarget(target);
  const name = harmless(key);
  if (find(model, key) === undefined) return problem(model, words("chat.notJoined", { name }));
  const left = notice(remove(model, key), [words("chat.parted", { name })]);
  if (target.channel === undefined) return still(left);
  return { model: left, effects: [{ type: "part", channel: target.channel }] };
}

function mute(model: ChatModel, key: string): Step {
  const { words, me } = model;
  const name = harmless(key);
  const present = find(model, key);
  if (present?.target === undefined) return problem(model, words("chat.notJoined", { name }));
  const isMuted = !present.isMuted;
  const counts = countUnread(present.items, { ...present, isMuted, me });
  const muted = change(model, key, () => ({ ...present, ...counts, isMuted }));
  const said = words(isMuted ? "chat.muted" : "chat.unmuted", { name });
  return still(notice(muted, [said]));
}

/**
 * Shows links on the whole screen, because a long link beside the list of conversations can't be
 * copied.
 */
function links(model: ChatModel): Step {
  const { words } = model;
  const present = currentOf(model);
  const found = linksOf(present);
  const name = present.target === undefined ? words("chat.home") : harmless(present.key);
  if (found.length === 0) return problem(model, words("chat.noLinks", { name }));
  const lines = [words("chat.links", { name }), "", ...found, "", words("chat.linksBack")];
  return { model, effects: [{ type: "show", lines }] };
}

function who({ presence, words }: ChatModel): string {
  if (presence.size === 0) return words("chat.nobodyOnline");
  const people = [...presence].map(([user, state]) => {
    const name = harmless(user);
    return state === "away" ? `${name} (${words("chat.away")})` : name;
  });
  return words("chat.whoOnline", { count: people.length, people: people.join(", ") });
}
