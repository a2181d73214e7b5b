import { render } from "preact";
import { Page } from "./page.ts";
import { App, takeKey } from "./view/app.tsx";

const root = document.getElementById("page");
if (root !== null) {
  const place = location.pathname === "/cluster" ? "cluster" : "chat";
  const page = new Page((changed) => {
    const { preferences, chat, cluster } = changed.model;
    document.documentElement.lang = preferences.language;
    document.documentElement.dataset.theme = preferences.theme;
    const unread = chat?.conversations.reduce(
      (sum, { unread, mentions, isMuted }) => sum + (isMuted ? mentions : unread),
      0,
    );
    const name =
      cluster === undefined ? "Tertulia" : `${changed.words("cluster.title")} · Tertulia`;
    document.title = unread ? `(${unread}) ${name}` : name;
    render(<App page={changed} />, root);
  }, place);
  addEventListener("keydown", (event) => takeKey(page, event));
  void page.start();
}
