import { useState } from "preact/hooks";
import type { ChatModel } from "../../../client/core/chat-model.ts";
import { switchTargets } from "../../../client/core/overlay-keys.ts";
import { parseChannel, type Target, writeTarget } from "../../../client/core/target.ts";
import { harmless } from "../../../protocol/harmless.ts";
import type { Page } from "../page.ts";
import { Dialog } from "./dialog.tsx";

const mostShown = 50;

/** Finds a channel or a person by a part of the name, and goes there. */
export function Switcher({ page, chat }: { readonly page: Page; readonly chat: ChatModel }) {
  const { words } = page;
  const [filter, setFilter] = useState("");
  const [chosen, setChosen] = useState(0);
  const found = switchTargets(chat, filter).slice(0, mostShown);
  const at = Math.max(0, Math.min(found.length - 1, chosen));
  const fresh = parseChannel(filter.trim());
  const isFresh = fresh !== undefined && !chat.channels.includes(fresh);
  const go = (target: Target | undefined) => {
    if (target === undefined) return;
    page.change({ dialog: undefined, showsList: false });
    page.dispatch({ type: "opened", target });
  };
  const press = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      setChosen(at + step);
    } else if (event.key === "Enter") {
      event.preventDefault();
      go(found[at]);
    }
  };
  return (
    <Dialog page={page} title={words("page.goTo")}>
      <input
        type="text"
        // biome-ignore lint/a11y/noRedundantRoles: without a list, the role is not implied
        role="combobox"
        list={undefined}
        aria-label={words("page.nameToFind")}
        placeholder={words("page.nameToFind")}
        aria-controls="found"
        aria-expanded={found.length > 0}
        aria-activedescendant={found.length > 0 ? `found-${at}` : undefined}
        autocomplete="off"
        value={filter}
        onInput={({ currentTarget }) => {
          setFilter(currentTarget.value);
          setChosen(0);
        }}
        onKeyDown={press}
      />
      <div id="found" role="listbox" aria-label={words("page.goTo")}>
        {found.map((target, index) => (
          // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the text field
          // biome-ignore lint/a11y/useKeyWithClickEvents: the text field handles the keys
          <div
            key={writeTarget(target)}
            id={`found-${index}`}
            role="option"
            aria-selected={index === at}
            onClick={() => go(target)}
          >
            <bdi>{harmless(writeTarget(target))}</bdi>
          </div>
        ))}
      </div>
      {found.length === 0 && <p>{words("chat.switchNothing")}</p>}
      {isFresh && (
        <button type="button" class="quiet" onClick={() => create(page, fresh)}>
          {words("page.createChannel", { name: `#${harmless(fresh)}` })}
        </button>
      )}
    </Dialog>
  );
}

function create(page: Page, channel: string): void {
  page.change({ dialog: undefined, showsList: false });
  page.dispatch({ type: "written", text: `/create #${channel}` });
  page.dispatch({ type: "submitted" });
}
