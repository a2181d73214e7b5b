import { useEffect, useRef } from "preact/hooks";
import type { MatchView } from "../../../protocol/game-view.ts";
import { harmless } from "../../../protocol/harmless.ts";
import { outcomeOf } from "../core/duel-model.ts";
import type { DuelPage } from "../duel-page.ts";

/** How the match ended, and the way to the next one. */
export function Result({ page, view }: { readonly page: DuelPage; readonly view: MatchView }) {
  const { words } = page;
  const { of, wants } = page.model;
  const outcome = outcomeOf(view);
  const title = useRef<HTMLHeadingElement>(null);
  // The control with the focus may just have gone with the hand.
  useEffect(() => title.current?.focus(), []);
  if (outcome === undefined) return null;
  const user = harmless(view.players[view.over?.winner ?? 0].user);
  return (
    <section class="result" aria-labelledby="result">
      <h2 id="result" ref={title} tabIndex={-1}>
        {words(`duel.${outcome}`, { user })}
      </h2>
      {of === undefined && (
        <p class="buttons">
          <button
            type="button"
            class="main"
            disabled={wants !== undefined}
            onClick={() => void page.enter(view.rules)}
          >
            {words("table.next")}
          </button>
          <button type="button" onClick={() => page.close()}>
            {words("table.back")}
          </button>
        </p>
      )}
    </section>
  );
}
