import { currentOf } from "../../../client/core/chat-model.ts";
import type { Page } from "../page.ts";
import { Cluster } from "./cluster.tsx";
import { Conversation } from "./conversation.tsx";
import { Help } from "./help.tsx";
import { LinkLine } from "./link-line.tsx";
import { LogIn } from "./log-in.tsx";
import { Settings } from "./settings.tsx";
import { Sidebar } from "./sidebar.tsx";
import { Switcher } from "./switcher.tsx";

/** The whole page. */
export function App({ page }: { readonly page: Page }) {
  const { model } = page;
  const { chat, dialog, showsList, isEnded, hasAccounts, cluster } = model;
  if (page.watch !== undefined && cluster !== undefined) {
    return <Cluster page={page} watch={page.watch} cluster={cluster} />;
  }
  if (chat === undefined || isEnded) {
    // Before the first answer nobody knows whether somebody is logged in.
    const isKnown = hasAccounts !== undefined;
    return isKnown ? <LogIn page={page} /> : <Starting page={page} />;
  }
  return (
    <div class={showsList ? "chat shows-list" : "chat"}>
      <Sidebar page={page} chat={chat} />
      <main class="talk" aria-label={page.words("page.conversation")}>
        <LinkLine page={page} />
        <Conversation key={chat.current} page={page} chat={chat} present={currentOf(chat)} />
      </main>
      {dialog === "switch" && <Switcher page={page} chat={chat} />}
      {dialog === "settings" && <Settings page={page} />}
      {dialog === "help" && <Help page={page} />}
    </div>
  );
}

function Starting({ page }: { readonly page: Page }) {
  return (
    <main class="entrance">
      <h1>Tertulia</h1>
      <LinkLine page={page} />
    </main>
  );
}

/** Handles the keys that work everywhere in the chat. */
export function takeKey(page: Page, event: KeyboardEvent): void {
  const { key, ctrlKey, metaKey, altKey } = event;
  const { chat } = page.model;
  if (chat === undefined) return;
  if ((ctrlKey || metaKey) && key.toLowerCase() === "k") {
    event.preventDefault();
    page.names();
    page.change({ dialog: "switch" });
  } else if (altKey && (key === "ArrowUp" || key === "ArrowDown")) {
    event.preventDefault();
    const list = chat.conversations.filter(({ target }) => target !== undefined);
    const at = list.findIndex((there) => there.key === chat.current);
    const target = list[at + (key === "ArrowUp" ? -1 : 1)]?.target;
    if (target !== undefined) page.dispatch({ type: "opened", target });
  }
}
