import { happensBefore, type Point } from "../../../client/core/trace/points.ts";

/** How a step is related to the chosen one. */
export type Relation = "chosen" | "before" | "after" | "concurrent";

/** Returns for each point how it is related to the chosen one, by their vector clocks. */
export function relationsTo(chosen: Point, points: readonly Point[]): readonly Relation[] {
  return points.map((point) => {
    if (point === chosen) return "chosen";
    if (happensBefore(point, chosen)) return "before";
    return happensBefore(chosen, point) ? "after" : "concurrent";
  });
}
