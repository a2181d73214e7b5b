import { useEffect } from "preact/hooks";
import { gameLimits } from "../../../protocol/game-limits.ts";
import type { MatchView } from "../../../protocol/game-view.ts";
import { harmless } from "../../../protocol/harmless.ts";
import { type Means, nearSeat, otherSeat, secondsLeft } from "../core/duel-model.ts";
import type { DuelPage } from "../duel-page.ts";
import { GiveUp } from "./give-up.tsx";

interface Parts {
  readonly page: DuelPage;
  readonly view: MatchView;
}

/** Before the rounds: each player chooses the cards to play with. */
export function Prepare({ page, view }: Parts) {
  const { words } = page;
  const { of, means } = page.model;
  const { seat, ready, players } = view;
  const isChoosing = seat !== undefined && !ready[seat];
  useEffect(() => {
    if (isChoosing) void page.fetchMeans();
  }, [isChoosing]);
  const near = nearSeat(view, of);
  const left = secondsLeft(page.model);
  return (
    <section class="prepare" aria-labelledby="prepare-title">
      <h2 id="prepare-title">
        {words("duel.against", {
          first: harmless(players[near].user),
          second: harmless(players[otherSeat(near)].user),
        })}
      </h2>
      {left !== undefined && (
        <p class="timer" role="timer" aria-live="off">
          {words("duel.seconds", { seconds: left })}
        </p>
      )}
      <ul role="status">
        {([near, otherSeat(near)] as const).map((at) => (
          <li key={at}>
            {words(ready[at] ? "duel.isReady" : "duel.isChoosing", {
              user: harmless(players[at].user),
            })}
          </li>
        ))}
      </ul>
      {isChoosing && means !== undefined && <Choices page={page} means={means} />}
      {seat !== undefined && <GiveUp page={page} />}
    </section>
  );
}

function Choices({ page, means }: { readonly page: DuelPage; readonly means: Means }) {
  const { words } = page;
  const { isActing } = page.model;
  const { cards, coins, packs } = means;
  const ownsEnough = cards.length >= gameLimits.deckCardsLeast;
  return (
    <section aria-labelledby="choices">
      <h3 id="choices">{words("duel.choose")}</h3>
      <ul class="choices">
        <li>
          <button
            type="button"
            class="main"
            disabled={isActing}
            onClick={() => void page.act({ type: "ready" })}
          >
            {words("table.own")}
          </button>
          <p class="hint">
            {words(ownsEnough ? "table.ownHint" : "table.lentHint", { count: cards.length })}
          </p>
        </li>
        {packs.map(({ pack, price, cards: inPack, left }) => (
          <li key={pack}>
            <button
              type="button"
              disabled={isActing || price > coins || left === 0}
              onClick={() => void page.act({ type: "ready", pack })}
            >
              {words("table.buy", { pack, price })}
            </button>
            <p class="hint">
              {Object.entries(inPack)
                .map(([rarity, count]) => `${count} ${words(`rarity.${rarity as "rare"}`)}`)
                .join(", ")}
              {left !== undefined && `; ${leftOf(page, left)}`}
            </p>
          </li>
        ))}
      </ul>
      <p>{words("duel.coins", { coins })}</p>
    </section>
  );
}

function leftOf({ words }: DuelPage, left: number): string {
  return left === 0 ? words("duel.soldOut") : words("duel.packLeft", { left });
}
