import { commandHelp } from "../../../client/core/help.ts";
import { commands } from "../../../client/core/slash-command.ts";
import type { Page } from "../page.ts";
import { Dialog } from "./dialog.tsx";

/** Keys, each with the name of the text that explains the key. */
const keys = [
  ["Ctrl K", "switch"],
  ["Alt ↑ ↓", "neighbour"],
  ["Enter", "send"],
  ["Shift Enter", "newLine"],
  ["↑ ↓ Home End", "messages"],
  ["Esc", "back"],
] as const;
/** Commands that only a terminal needs. */
const unused = ["duel", "quit", "status", "history"] as const;

/** All keys and commands of the page. */
export function Help({ page }: { readonly page: Page }) {
  const { words } = page;
  const known = commands.filter((command) => !unused.some((name) => name === command));
  return (
    <Dialog page={page} title={words("chat.helpTitle")}>
      <dl>
        {keys.map(([key, name]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{words(`page.key.${name}`)}</dd>
          </div>
        ))}
        {known.map((command) => {
          const { usage, what } = commandHelp(words, command);
          return (
            <div key={command}>
              <dt>
                <code>{usage}</code>
              </dt>
              <dd>{what}</dd>
            </div>
          );
        })}
      </dl>
    </Dialog>
  );
}
