import { cellsOf, pad, wrap } from "./cells.ts";
import { type Command, commands } from "./slash-command.ts";
import { type Line, span } from "./spans.ts";
import { helpKeys, type WordKey, type Words } from "./words.ts";

/** How a command is written, and what it does. */
export function commandHelp(words: Words, command: Command): { usage: string; what: string } {
  const [usage = "", ...what] = words(`command.${command.slice(1)}` as WordKey).split(": ");
  return { usage, what: what.join(": ") };
}

/** All keys and commands, as lines. */
export function helpLines(words: Words, columns: number): readonly Line[] {
  const rows = [
    ...helpKeys.map(([keys, what]) => [keys, words(`key.${what}`)] as const),
    undefined,
    ...commands.map((command) => {
      const { usage, what } = commandHelp(words, command);
      return [usage, what] as const;
    }),
  ];
  const widest = Math.max(...rows.map((row) => cellsOf(row?.[0] ?? "")));
  const left = Math.min(widest, Math.floor(columns / 2));
  return rows.flatMap((row): readonly Line[] => {
    if (row === undefined) return [[]];
    const [keys, what] = row;
    const room = columns - left - 2;
    if (room < 12)
      return [
        [span(keys, "bold")],
        ...wrap(what, columns - 2, columns - 2).map((text) => [span(`  ${text}`)]),
      ];
    return wrap(what, room, room).map((text, at) => [
      span(at === 0 ? pad(keys, left) : " ".repeat(left), "bold"),
      span(`  ${text}`),
    ]);
  });
}
