import type { Arrow, Draft, Link, Point } from "./points.ts";

interface Arranged {
  readonly points: readonly Point[];
  readonly arrows: readonly Arrow[];
}

/**
 * Orders the points of all lines: each point comes after the previous point of its line and after
 * the causes of its message, and otherwise points are ordered by time. So a wrong clock never makes
 * an arrow point back.
 * @param lines for each line, its points in their order
 */
export function arranged(lines: readonly (readonly Draft[])[], links: readonly Link[]): Arranged {
  const next = lines.map(() => 0);
  const last: (Point | undefined)[] = [];
  const placed = new Map<Draft, Point>();
  const arrows: Arrow[] = [];
  const incoming = (draft: Draft) => links.filter(({ to }) => to === draft);
  const isPlaced = (draft: Draft | undefined) => draft === undefined || placed.has(draft);
  const isReady = (draft: Draft) => {
    return incoming(draft).every(({ from, before }) => isPlaced(from) && isPlaced(before));
  };
  const count = lines.reduce((sum, line) => sum + line.length, 0);
  while (placed.size < count) {
    const heads = lines.flatMap((drafts, line) => {
      const draft = drafts[next[line] ?? 0];
      return draft === undefined ? [] : [{ draft, line }];
    });
    const ready = heads.filter(({ draft }) => isReady(draft));
    // If no point is ready, the messages form a cycle, because some server told wrong clocks. Then
    // the messages that lead to the earliest point are left out.
    const { draft, line } = earliest(ready.length > 0 ? ready : heads);
    const causes = incoming(draft).filter(({ from }) => isPlaced(from));
    const previous = last[line];
    const sources = incoming(draft).flatMap(({ from, before }) => {
      return [from, before].flatMap((cause) => (cause && placed.get(cause)) ?? []);
    });
    const before = previous === undefined ? sources : [previous, ...sources];
    const vector = lines.map((_, at) => {
      return Math.max(0, ...before.map((point) => point.vector[at] ?? 0)) + (at === line ? 1 : 0);
    });
    const { sentClock: _, ...shown } = draft;
    const to: Point = { line, ...shown, vector };
    placed.set(draft, to);
    last[line] = to;
    next[line] = (next[line] ?? 0) + 1;
    for (const { from, fromLine } of causes) {
      arrows.push({ from: from && placed.get(from), fromLine, to });
    }
  }
  return { points: [...placed.values()], arrows };
}

interface Head {
  readonly draft: Draft;
  readonly line: number;
}

/** A point without a time, such as the sending of a request, comes as early as it can. */
function earliest(heads: readonly Head[]): Head {
  const timeOf = ({ draft }: Head) => draft.timeMs ?? Number.NEGATIVE_INFINITY;
  return heads.reduce((best, head) => (timeOf(head) < timeOf(best) ? head : best));
}
