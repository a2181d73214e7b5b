import { useLayoutEffect, useRef } from "preact/hooks";
import { matchLog } from "../../../client/core/duel/match-log.ts";
import type { MatchView } from "../../../protocol/game-view.ts";
import type { DuelPage } from "../duel-page.ts";

/** What has happened, with the newest last. A screen reader speaks what is new. */
export function MatchLog({ page, view }: { readonly page: DuelPage; readonly view: MatchView }) {
  const { words } = page;
  const { events } = page.model;
  const list = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const { current } = list;
    if (current !== null) current.scrollTop = current.scrollHeight;
  }, [events.length]);
  return (
    <section class="log" aria-labelledby="log-title">
      <h2 id="log-title">{words("table.log")}</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls the list */}
      <div ref={list} class="lines" role="log" aria-labelledby="log-title" tabIndex={0}>
        {events.flatMap((event) =>
          matchLog([event], view, words).map((said) => <p key={event.eventSeq}>{said}</p>),
        )}
      </div>
    </section>
  );
}
