import { before, type Editor, textOf, withText } from "./line-editor.ts";
import { beginsName, sortedByMatch } from "./name-search.ts";
import { commands } from "./slash-command.ts";

/** The candidates for the word before the cursor. Each Tab takes the next candidate. */
export interface Completion {
  readonly candidates: readonly string[];
  readonly at: number;
  /** The texts before and after the word. */
  readonly head: string;
  readonly tail: string;
}

export interface Names {
  readonly users: readonly string[];
  readonly channels: readonly string[];
}

interface Completed {
  readonly editor: Editor;
  readonly completion: Completion | undefined;
}

/**
 * Completes the word before the cursor: `/jo` → `/join `, `#ge` → `#geral `, `an` or `@an` → `@ana
 * `.
 * @param step 1 for the next candidate, -1 for the previous one
 */
export function complete(
  editor: Editor,
  { users, channels }: Names,
  { present, step }: { present: Completion | undefined; step: 1 | -1 },
): Completed {
  if (present !== undefined) return take(editor, present, step);
  const typed = before(editor);
  const [word = ""] = /\S*$/u.exec(typed) ?? [];
  const head = typed.slice(0, typed.length - word.length);
  const tail = textOf(editor).slice(typed.length);
  const candidates = candidatesOf(word, head, { users, channels });
  if (candidates.length === 0) return { editor, completion: undefined };
  return take(editor, { candidates, at: step > 0 ? -1 : 0, head, tail }, step);
}

function candidatesOf(word: string, head: string, { users, channels }: Names): string[] {
  const begun = (names: readonly string[], part: string) =>
    sortedByMatch(
      names.filter((name) => beginsName(name, part)),
      part,
    );
  if (word.startsWith("/") && head === "") {
    return begun(commands, word.slice(1)).map((name) => `/${name} `);
  }
  if (word.startsWith("#") || /^\/(join|part|leave|mute)\s+$/i.test(head)) {
    return begun(channels, word.replace(/^#/, "")).map((name) => `#${name} `);
  }
  if (word === "" && !/^\/(msg|duel)\s+$/i.test(head)) return [];
  return begun(users, word.replace(/^@/, "")).map((name) => `@${name} `);
}

function take(editor: Editor, completion: Completion, step: 1 | -1): Completed {
  const { candidates, head, tail } = completion;
  const at = (completion.at + step + candidates.length) % candidates.length;
  const start = head + (candidates[at] ?? "");
  const completed = withText(editor, start + tail, start.length);
  const isOnly = candidates.length === 1;
  return { editor: completed, completion: isOnly ? undefined : { ...completion, at } };
}
