import { render } from "preact";
import { DuelPage } from "./duel-page.ts";
import { Duel } from "./view/duel.tsx";

const root = document.getElementById("page");
if (root !== null) {
  const of = new URLSearchParams(location.search).get("of")?.trim() || undefined;
  const page = new DuelPage((changed) => {
    const { preferences } = changed.model;
    document.documentElement.lang = preferences.language;
    document.documentElement.dataset.theme = preferences.theme;
    document.title = `${changed.words("table.title")} · Tertulia`;
    render(<Duel page={changed} />, root);
  }, of);
  addEventListener("keydown", (event) => {
    const { target, ctrlKey, metaKey, altKey, key } = event;
    const isTyping = target instanceof HTMLInputElement && target.type !== "checkbox";
    if (ctrlKey || metaKey || altKey || isTyping) return;
    if (page.press(key)) event.preventDefault();
  });
  void page.start();
}
