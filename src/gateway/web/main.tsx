import { render } from "preact";
import { Page } from "./page.ts";
import { App, takeKey } from "./view/app.tsx";

const root = document.getElementById("page");
if (root !== null) {
  const page = new Page((changed) => {
    const { preferences, chat } = changed.model;
    document.documentElement.lang = preferences.language;
    document.documentElement.dataset.theme = preferences.theme;
    const unread = chat?.conversations.reduce(
      (sum, { unread, mentions, isMuted }) => sum + (isMuted ? mentions : unread),
      0,
    );
    document.title = unread ? `(${unread}) Tertulia` : "Tertulia";
    render(<App page={changed} />, root);
  });
  addEventListener("keydown", (event) => takeKey(page, event));
  void page.start();
}
