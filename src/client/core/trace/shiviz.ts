import type { Text } from "../../../texts/texts.ts";
import type { Diagram } from "./diagram.ts";
import { lineName, msColumn, pointWords } from "./words.ts";

/**
 * A diagram as a log that ShiViz draws (https://bestchai.bitbucket.io/shiviz/) with its parser
 * `(?<host>\S*) (?<clock>{.*})\n(?<event>.*)`: two lines for each point, first the process and its
 * vector clock, then what happened.
 */
export function shivizLog(diagram: Diagram, text: Text): string[] {
  const { lines, points } = diagram;
  const hosts = lines.map((line) => lineName(line, text).replace(/\s/g, "_"));
  const times = msColumn(diagram);
  return points.flatMap((point, at) => {
    const counts = point.vector.flatMap((count, line): [string, number][] => {
      return count === 0 ? [] : [[hosts[line] ?? "", count]];
    });
    const clock = point.clock === undefined ? "" : `, Lamport ${point.clock}`;
    return [
      `${hosts[point.line]} ${JSON.stringify(Object.fromEntries(counts))}`,
      `${pointWords(point, text)} (${times[at]} ms${clock})`,
    ];
  });
}
