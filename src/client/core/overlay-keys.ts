import { type ChatModel, listed, type Overlay } from "./chat-model.ts";
import { goTo, type Step, still } from "./chat-steps.ts";
import { helpLines } from "./help.ts";
import { isControl, type Key } from "./keys.ts";
import { layoutOf } from "./layout.ts";
import { edit, textOf } from "./line-editor.ts";
import { hasInName, sortedByMatch } from "./name-search.ts";
import { parseTarget, type Target } from "./target.ts";

/** Handles a key while the help or the quick switch is shown. */
export function pressOverlay(model: ChatModel, overlay: Overlay, key: Key): Step {
  if (key.name === "escape" || isControl(key, "k")) return still({ ...model, overlay: undefined });
  return overlay.type === "help"
    ? pressHelp(model, overlay, key)
    : pressSwitch(model, overlay, key);
}

function pressHelp(model: ChatModel, { top }: Overlay & { readonly type: "help" }, key: Key): Step {
  const { paneRows, paneColumns } = layoutOf(model);
  const last = Math.max(0, helpLines(model.words, paneColumns).length - paneRows);
  const steps: Partial<Record<Key["name"], number>> = {
    up: -1,
    down: 1,
    pageUp: 1 - paneRows,
    pageDown: paneRows - 1,
    home: -top,
    end: last,
  };
  const step = steps[key.name];
  if (step === undefined) {
    // A key without a meaning in the help closes the help and edits the line.
    const editor = edit(model.editor, key) ?? model.editor;
    return still({ ...model, editor, overlay: undefined });
  }
  const moved = Math.max(0, Math.min(last, top + step));
  return still({ ...model, overlay: { type: "help", top: moved } });
}

function pressSwitch(
  model: ChatModel,
  overlay: Overlay & { readonly type: "switch" },
  key: Key,
): Step {
  const { filter, chosen } = overlay;
  const found = switchTargets(model, textOf(filter));
  const choose = (at: number) => {
    const bounded = Math.max(0, Math.min(found.length - 1, at));
    return still({ ...model, overlay: { ...overlay, chosen: bounded } });
  };
  switch (key.name) {
    case "up":
    case "backtab":
      return choose(chosen - 1);
    case "down":
    case "tab":
      return choose(chosen + 1);
    case "enter": {
      const target = found[chosen];
      return target === undefined ? still(model) : goTo({ ...model, overlay: undefined }, target);
    }
    default: {
      const edited = edit(filter, key);
      if (edited === undefined) return still(model);
      return still({ ...model, overlay: { ...overlay, filter: edited, chosen: 0 } });
    }
  }
}

/**
 * The targets of the quick switch: unread conversations, then conversations without unread
 * messages, then all channels and users.
 */
export function switchTargets(model: ChatModel, filter: string): readonly Target[] {
  const list = listed(model).filter(({ key, target }) => target && key !== model.current);
  const unread = list.filter((present) => present.unread + present.mentions > 0);
  const names = [
    ...[...unread, ...list].map(({ key }) => key),
    ...model.channels.map((channel) => `#${channel}`),
    ...[...model.presence.keys(), ...model.users].flatMap((user) =>
      user === model.me ? [] : `@${user}`,
    ),
  ];
  const wanted = filter.trim();
  const found = [...new Set(names)].filter(
    (name) => name !== model.current && hasInName(name, wanted),
  );
  return sortedByMatch(found, wanted).flatMap((name) => parseTarget(name) ?? []);
}
