import { useEffect, useRef } from "preact/hooks";
import type { DuelPage } from "../duel-page.ts";

/** Gives up the match, after a question. */
export function GiveUp({ page }: { readonly page: DuelPage }) {
  const { words } = page;
  if (page.model.asksGiveUp) return <Question page={page} />;
  return (
    <button type="button" class="quiet" onClick={() => page.change({ asksGiveUp: true })}>
      {words("table.giveUp")}
    </button>
  );
}

function Question({ page }: { readonly page: DuelPage }) {
  const { words } = page;
  const no = useRef<HTMLButtonElement>(null);
  useEffect(() => no.current?.focus(), []);
  const goOn = () => page.change({ asksGiveUp: false });
  return (
    <fieldset class="asks">
      <legend>{words("table.giveUpAsk")}</legend>
      <button
        type="button"
        disabled={page.model.isActing}
        onClick={() => void page.act({ type: "giveUp" })}
      >
        {words("table.giveUpYes")}
      </button>
      <button type="button" class="main" ref={no} onClick={goOn}>
        {words("table.giveUpNo")}
      </button>
    </fieldset>
  );
}
