import { type ChatModel, change, currentOf } from "./chat-model.ts";
import { atEnd, type Step, still } from "./chat-steps.ts";
import { page } from "./scroll.ts";

/** A page of the past up or down; what is not here yet is fetched. */
export function turn(model: ChatModel, direction: "up" | "down"): Step {
  const present = currentOf(model);
  const { anchor, nearsOldest } = page(model, present, direction);
  const { older, isFetching, target, key } = present;
  const isWanted = direction === "up" && nearsOldest && !isFetching;
  const fetch =
    isWanted && older !== undefined && target !== undefined ? { target, older } : undefined;
  // What is shorter than the pane has no place to go to, but may have a past.
  const moved = change(model, key, (conversation) => ({
    ...(anchor === undefined ? atEnd(conversation) : { ...conversation, anchor }),
    isFetching: isFetching || fetch !== undefined,
  }));
  if (fetch === undefined) return still(moved);
  return {
    model: moved,
    effects: [{ type: "fetch", target: fetch.target, before: fetch.older }],
  };
}
