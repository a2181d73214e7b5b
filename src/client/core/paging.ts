import { type ChatModel, type Conversation, change, currentOf } from "./chat-model.ts";
import { asRead, type Step } from "./chat-steps.ts";
import { page } from "./scroll.ts";

/** A page of the past up or down; what is not here yet is fetched. */
export function turn(model: ChatModel, direction: "up" | "down"): Step {
  const present = currentOf(model);
  const { anchor, nearsOldest } = page(model, present, direction);
  const { older, isFetching, target, key } = present;
  const isWanted = direction === "up" && nearsOldest && !isFetching;
  const fetch =
    isWanted && older !== undefined && target !== undefined ? { target, older } : undefined;
  const moved = change(model, key, (conversation) =>
    anchor === undefined
      ? atEnd(conversation)
      : { ...conversation, anchor, isFetching: isFetching || fetch !== undefined },
  );
  // What is shorter than the pane has no place to go to, but may have a past.
  const fetching =
    fetch === undefined ? moved : change(moved, key, (now) => ({ ...now, isFetching: true }));
  if (fetch === undefined) return { model: fetching, effects: [{ type: "save" }] };
  return {
    model: fetching,
    effects: [{ type: "fetch", target: fetch.target, before: fetch.older }],
  };
}

/** From the newest message on. */
export function atEnd(conversation: Conversation): Conversation {
  return asRead({ ...conversation, anchor: undefined });
}
