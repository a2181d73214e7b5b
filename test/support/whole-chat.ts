import type { HistoryQuery } from "../../src/protocol/client-messages.ts";
import type { ChannelName, UserName } from "../../src/protocol/ids.ts";
import { limits } from "../../src/protocol/limits.ts";
import type { ConversationName } from "../../src/protocol/topics.ts";
import type { MutableVector, Vector } from "../../src/protocol/vector.ts";
import { chatFacts } from "../../src/server/core/chat/chat-facts.ts";
import type { ChatState, Conversation } from "../../src/server/core/chat/chat-state.ts";
import { readHistory } from "../../src/server/core/chat/history.ts";
import { readNames } from "../../src/server/core/chat/names.ts";
import type { Placed } from "../../src/server/core/replica/placed.ts";
import type { NamesNeed, NewEvent } from "../../src/server/engine/engine.ts";
import { Slice } from "../../src/server/engine/slice.ts";

/** The state that servers have which keep all of it themselves. */
export class WholeChat {
  readonly chat: ChatState = new Slice().chat;
  readonly committed: MutableVector = {};
  readonly made: { readonly event: NewEvent; readonly place: Placed }[] = [];
  readonly #facts = chatFacts(this.chat);

  add(event: NewEvent, place: Placed): void {
    this.#facts[event.kind].fold(event.data as never, place);
    this.committed[place.server] = Math.max(this.committed[place.server] ?? 0, place.seq);
    this.made.push({ event, place });
  }
}

export function conversationOf(chat: ChatState, { channel, user }: ConversationName): Conversation {
  const found = channel === undefined ? chat.users.get(user) : chat.channels.get(channel);
  return found?.conversation as Conversation;
}

export function pageOf(chat: ChatState, committed: Vector, query: HistoryQuery) {
  const room = { bytes: limits.replyBytes };
  return readHistory(conversationOf(chat, query.conversation), query, { committed, room });
}

export function namesOf(chat: ChatState, committed: Vector, { of, ...query }: NamesNeed) {
  const room = { bytes: limits.replyBytes };
  if (of === "users") {
    const isShown = (name: UserName) => chat.users.get(name)?.isCommitted(committed) === true;
    return readNames(chat.userNames.sorted, query, { room, copies: 1, isShown });
  }
  const isShown = (name: ChannelName) => {
    return chat.knowsChannel(name) && chat.channels.get(name)?.isCommitted(committed) === true;
  };
  return readNames(chat.channelNames.sorted, query, { room, copies: 2, isShown });
}
