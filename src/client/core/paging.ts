import { type ChatModel, change, currentOf } from "./chat-model.ts";
import { atEnd, type Step, still } from "./chat-steps.ts";
import { page } from "./scroll.ts";

/** Turns a page up or down. Fetches older messages before the person reaches them. */
export function turn(model: ChatModel, direction: "up" | "down"): Step {
  const present = currentOf(model);
  const { anchor, nearsOldest } = page(model, present, direction);
  const { older, isFetching, target, key } = present;
  const moved = change(model, key, (conversation) =>
    anchor === undefined ? atEnd(conversation) : { ...conversation, anchor },
  );
  // Older messages are fetched even if the pane did not scroll: a conversation shorter than the
  // pane can't scroll, but may have older messages.
  const isWanted = direction === "up" && nearsOldest && !isFetching;
  if (!isWanted || older === undefined || target === undefined) return still(moved);
  return {
    model: change(moved, key, (conversation) => ({ ...conversation, isFetching: true })),
    effects: [{ type: "fetch", target, before: older }],
  };
}
