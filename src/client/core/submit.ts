import { harmless } from "../../protocol/harmless.ts";
import { type ChannelName, characters } from "../../protocol/ids.ts";
import { limits } from "../../protocol/limits.ts";
import { type ChatModel, change, currentOf, find } from "./chat-model.ts";
import { add, countUnread, notice, open, remove, type Step, still } from "./chat-steps.ts";
import { commandHelp } from "./help.ts";
import { submitted, textOf } from "./line-editor.ts";
import { linksOf } from "./links.ts";
import { goTo } from "./overlay-keys.ts";
import { turn } from "./paging.ts";
import { actionPrefix, type Line, parseLine } from "./slash-command.ts";
import { type Target, writeTarget } from "./target.ts";
import type { Words } from "./words.ts";

/** Enter: what was written is said, or done. */
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
      // What can't be sent is not lost.
      if (target === undefined) return problem(model, "noConversation");
      return characters(text) > limits.messageCharacters
        ? problem(model, "tooLong", { most: limits.messageCharacters })
        : say(left, target, text);
    }
    case "message": {
      const opened = goTo(left, { user: line.user });
      if (line.text === undefined) return opened;
      if (characters(line.text) > limits.messageCharacters) {
        return problem(model, "tooLong", { most: limits.messageCharacters });
      }
      const said = say(opened.model, { user: line.user }, line.text);
      return { model: said.model, effects: [...opened.effects, ...said.effects] };
    }
    case "likeAction":
      return problem(left, "likeAction");
    case "wrongUse":
      return problem(left, "wrongUse", { usage: commandHelp(model.words, line.command).usage });
    case "unknown": {
      const { suggestion } = line;
      const command = harmless(line.command);
      return suggestion === undefined
        ? problem(left, "unknownHelp", { command })
        : problem(left, "unknown", { command, suggestion });
    }
    default:
      return perform(left, line);
  }
}

function say(model: ChatModel, target: Target, text: string): Step {
  return { model, effects: [{ type: "send", target, text }] };
}

function problem(model: ChatModel, ...[key, values]: Parameters<Words>): Step {
  return still(notice(model, [model.words(key, values)], true));
}

type Doing = Exclude<
  Line,
  { readonly type: "nothing" | "text" | "likeAction" | "me" | "message" | "wrongUse" | "unknown" }
>;

function perform(model: ChatModel, line: Doing): Step {
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
      return still(notice(model, who(model)));
    case "history":
      return line.count === undefined ? turn(model, "up") : problem(model, "historyPages");
    case "links":
      return links(model);
    case "away": {
      const isAway = !model.isAway;
      const told = notice({ ...model, isAway }, [words(isAway ? "isAway" : "isBack")]);
      return { model: told, effects: [{ type: "away", isAway }] };
    }
    case "lang":
      return { model, effects: [{ type: "language", name: line.language }] };
    case "help":
      return still({ ...model, overlay: { type: "help", top: 0 } });
    case "quit":
      return { model, effects: [{ type: "quit" }] };
    default:
      return line satisfies never;
  }
}

/** One that is there is only gone to. */
function create(model: ChatModel, channel: ChannelName): Step {
  const target: Target = { channel };
  const key = writeTarget(target);
  if (find(model, key) !== undefined) return goTo(model, target);
  const opened = open(add(model, target), key);
  return { ...opened, effects: [...opened.effects, { type: "create", channel }] };
}

function part(model: ChatModel, target: Target | undefined): Step {
  if (target === undefined) return problem(model, "noConversation");
  const key = writeTarget(target);
  if (find(model, key) === undefined) return problem(model, "notJoined", { name: harmless(key) });
  const left = notice(remove(model, key), [model.words("parted", { name: harmless(key) })]);
  if (target.channel === undefined) return still(left);
  return { model: left, effects: [{ type: "part", channel: target.channel }] };
}

function mute(model: ChatModel, key: string): Step {
  const present = find(model, key);
  if (present?.target === undefined) {
    return problem(model, "notJoined", { name: harmless(key) });
  }
  const isMuted = !present.isMuted;
  const muted = change(model, key, (conversation) => {
    const changed = { ...conversation, isMuted };
    return { ...changed, ...countUnread(changed.items, { ...changed, me: model.me }) };
  });
  const said = model.words(isMuted ? "muted" : "unmuted", { name: harmless(key) });
  return still(notice(muted, [said]));
}

/** Links get the whole screen: beside the list of conversations a long one can't be copied. */
function links(model: ChatModel): Step {
  const { words } = model;
  const present = currentOf(model);
  const found = linksOf(present);
  const name = present.target === undefined ? words("home") : harmless(present.key);
  if (found.length === 0) return problem(model, "noLinks", { name });
  const lines = [words("links", { name }), "", ...found, "", words("linksBack")];
  return { model, effects: [{ type: "show", lines }] };
}

function who({ presence, words }: ChatModel): string[] {
  if (presence.size === 0) return [words("nobodyOnline")];
  const people = [...presence].map(([user, state]) => {
    const name = harmless(user);
    return state === "away" ? `${name} (${words("away")})` : name;
  });
  return [words("whoOnline", { count: people.length, people: people.join(", ") })];
}
