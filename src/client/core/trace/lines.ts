import type { Text } from "../../../texts/texts.ts";
import { table } from "../table.ts";
import type { Diagram } from "./diagram.ts";
import { concurrentColumn, lineName, msColumn, notesOf, pointWords, titleOf } from "./words.ts";

/** A diagram as lines of text: its title, one line for each point, and its notes. */
export function diagramLines(diagram: Diagram, text: Text): string[] {
  const { lines, points } = diagram;
  const [times, others] = [msColumn(diagram), concurrentColumn(diagram)];
  const columns = [
    { heading: "#", right: true },
    { heading: "MS", right: true },
    { heading: text("status.clock"), right: true },
    { heading: text("trace.process") },
    { heading: text("trace.step") },
    { heading: text("trace.concurrent") },
  ];
  const rows = points.map((point, at) => {
    const line = lines[point.line];
    return [
      String(at + 1),
      times[at] ?? "",
      String(point.clock ?? "–"),
      line === undefined ? "" : lineName(line, text),
      pointWords(point, text),
      others[at] ?? "",
    ];
  });
  return [titleOf(diagram, text), "", ...table(columns, rows), "", ...notesOf(diagram, text)];
}
