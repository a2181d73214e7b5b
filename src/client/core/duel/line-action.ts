import { type PackName, packNames } from "../../../protocol/cards.ts";
import type { PlayerAction } from "../../../protocol/game-requests.ts";

/** What a line of input asks for. */
export type LineWish =
  | { readonly type: "act"; readonly action: PlayerAction }
  | { readonly type: "leave" }
  | { readonly type: "nothing" }
  | { readonly type: "wrong"; readonly line: string };

/**
 * Parses a line of a script or of a bot: an action as JSON, such as `{"type":"play","card":"…"}`, or
 * words, such as `play wolf-common-3`. The game server checks the names of cards.
 */
export function parseActionLine(line: string): LineWish {
  const text = line.trim();
  if (text === "") return { type: "nothing" };
  const action = text.startsWith("{") ? actionOf(parsed(text)) : byWords(text);
  if (action === "leave") return { type: "leave" };
  return action === undefined ? { type: "wrong", line: text } : { type: "act", action };
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    // What is no JSON is no action, as other wrong lines are.
    return {};
  }
}

function byWords(text: string): PlayerAction | "leave" | undefined {
  const [type, value, ...more] = text.split(/\s+/u);
  if (more.length > 0) return undefined;
  const isCard = type === "play" || type === "counter";
  if (value !== undefined && !isCard && type !== "ready") return undefined;
  return actionOf(isCard ? { type, card: value } : { type, pack: value });
}

function actionOf(fields: Readonly<Record<string, unknown>>): PlayerAction | "leave" | undefined {
  const { type, card, pack, cards } = fields;
  switch (type) {
    case "leave":
      return "leave";
    case "pass":
    case "giveUp":
      return { type };
    case "play":
    case "counter":
      return typeof card === "string" ? { type, card } : undefined;
    case "ready": {
      const isPack = pack == null || packNames.some((name) => name === pack);
      const isList = cards == null || isTexts(cards);
      if (!isPack || !isList) return undefined;
      return {
        type,
        ...(pack == null ? {} : { pack: pack as PackName }),
        ...(cards == null ? {} : { cards }),
      };
    }
    default:
      return undefined;
  }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}
