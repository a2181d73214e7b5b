import { useEffect, useState } from "preact/hooks";
import { themes } from "../core/page-model.ts";
import type { Page } from "../page.ts";
import { Dialog } from "./dialog.tsx";
import { LanguageChoice } from "./log-in.tsx";

/** Language, theme, notifications, and the way out. */
export function Settings({ page }: { readonly page: Page }) {
  const { words } = page;
  const { preferences, chat, cluster } = page.model;
  const { theme } = preferences;
  return (
    <Dialog page={page} title={words("page.settings")}>
      <LanguageChoice page={page} />
      <fieldset class="choice">
        <legend>{words("page.theme")}</legend>
        {themes.map((name) => (
          <label key={name}>
            <input
              type="radio"
              name="theme"
              checked={theme === name}
              onChange={() => page.prefer({ theme: name })}
            />
            {words(`page.theme.${name}`)}
          </label>
        ))}
      </fieldset>
      {chat !== undefined && <Notifications page={page} />}
      <p class="buttons">
        {chat !== undefined && (
          <button type="button" onClick={() => page.change({ dialog: "help" })}>
            {words("page.help")}
          </button>
        )}
        {(chat?.me ?? cluster?.user) !== undefined && (
          <button type="button" onClick={() => void page.logOut()}>
            {words("page.logOut")}
          </button>
        )}
      </p>
      {chat !== undefined && <ClusterLink page={page} />}
    </Dialog>
  );
}

/** A link to the cluster at work, if the person may see it. */
function ClusterLink({ page }: { readonly page: Page }) {
  const [isAllowed, setAllowed] = useState(false);
  useEffect(() => void page.mayWatch().then(setAllowed), []);
  if (!isAllowed) return null;
  return (
    <p class="way">
      <a href="/cluster">{page.words("cluster.title")}</a>
    </p>
  );
}

function Notifications({ page }: { readonly page: Page }) {
  const { words } = page;
  const { notifies } = page.model.preferences;
  const canNotify = "Notification" in window && window.isSecureContext;
  const isRefused = canNotify && Notification.permission === "denied";
  const choose = async (isWanted: boolean) => {
    const isAllowed = isWanted && (await Notification.requestPermission()) === "granted";
    page.prefer({ notifies: isAllowed });
  };
  return (
    <fieldset class="choice">
      <legend>{words("page.notifications")}</legend>
      <label>
        <input
          type="checkbox"
          checked={notifies && canNotify && !isRefused}
          disabled={!canNotify || isRefused}
          onChange={({ currentTarget }) => void choose(currentTarget.checked)}
        />
        {words("page.notify")}
      </label>
      {!canNotify && <p class="hint">{words("page.cannotNotify")}</p>}
      {isRefused && <p class="hint">{words("page.notifyRefused")}</p>}
    </fieldset>
  );
}
