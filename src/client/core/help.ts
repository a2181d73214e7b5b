import type { Text } from "../../texts/texts.ts";
import { cellsOf, pad, wrap } from "./cells.ts";
import { type Command, commands } from "./slash-command.ts";
import { type Line, span } from "./spans.ts";

/** Keys, each with the name of the text that explains the key. */
const keys = [
  ["Tab", "complete"],
  ["PgUp PgDn", "page"],
  ["Alt-1 … Alt-9", "number"],
  ["Alt-↑ Alt-↓", "neighbour"],
  ["Alt-A", "nextUnread"],
  ["Ctrl-K", "switch"],
  ["↑ ↓", "recall"],
  ["Alt-Enter", "newLine"],
  ["Ctrl-A Ctrl-E", "lineEnds"],
  ["Alt-B Alt-F", "words"],
  ["Ctrl-U Ctrl-W", "cut"],
  ["Ctrl-Y", "putBack"],
  ["Ctrl-L", "redraw"],
  ["Ctrl-Z", "suspend"],
  ["Esc", "back"],
  ["Ctrl-C Ctrl-C", "quit"],
] as const;

/** @returns the syntax of a command, and a sentence about its effect */
export function commandHelp(text: Text, command: Command): { usage: string; what: string } {
  const [usage = "", ...what] = text(`chat.command.${command}`).split(": ");
  return { usage, what: what.join(": ") };
}

/** @returns the lines of the help: all keys, then all commands */
export function helpLines(text: Text, columns: number): readonly Line[] {
  const keyRows = keys.map(([left, name]) => [left, text(`chat.key.${name}`)] as const);
  const commandRows = commands.map((command) => {
    const { usage, what } = commandHelp(text, command);
    return [usage, what] as const;
  });
  const widest = Math.max(...[...keyRows, ...commandRows].map(([left]) => cellsOf(left)));
  const leftCells = Math.min(widest, Math.floor(columns / 2));
  const room = columns - leftCells - 2;
  const linesOf = ([left, what]: readonly [string, string]): readonly Line[] => {
    if (room < 12) {
      const indented = wrap(what, columns - 2, columns - 2).map((line) => [span(`  ${line}`)]);
      return [[span(left, "bold")], ...indented];
    }
    return wrap(what, room, room).map((line, at) => [
      span(at === 0 ? pad(left, leftCells) : " ".repeat(leftCells), "bold"),
      span(`  ${line}`),
    ]);
  };
  return [...keyRows.flatMap(linesOf), [], ...commandRows.flatMap(linesOf)];
}
