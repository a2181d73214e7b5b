import { useLayoutEffect, useRef } from "preact/hooks";
import { stageOf } from "../../../client/core/duel/duel-cards.ts";
import type { CardId } from "../../../protocol/cards.ts";
import type { MatchView, Seat, TableView } from "../../../protocol/game-view.ts";
import { harmless } from "../../../protocol/harmless.ts";
import {
  actionWith,
  canPass,
  laidBy,
  nearSeat,
  otherSeat,
  secondsLeft,
} from "../core/duel-model.ts";
import type { DuelPage } from "../duel-page.ts";
import { CardBack, CardFace, cardLabel } from "./card.tsx";
import { GiveUp } from "./give-up.tsx";

interface Parts {
  readonly page: DuelPage;
  readonly view: MatchView;
  readonly table: TableView;
}

/** Life at the start of a duel. */
const mostLife = 100;

/** Both sides, what lies between them, and the hand of the player. */
export function Table({ page, view, table }: Parts) {
  const { words } = page;
  const near = nearSeat(view, page.model.of);
  const isOver = view.over !== undefined;
  const seat = view.seat;
  return (
    <section class="table" aria-label={words("table.title")}>
      <SideLine page={page} view={view} table={table} seat={otherSeat(near)} />
      <div class="laid">
        <LaidCard page={page} view={view} table={table} seat={otherSeat(near)} />
        <Turn page={page} view={view} table={table} />
        <LaidCard page={page} view={view} table={table} seat={near} />
      </div>
      <SideLine page={page} view={view} table={table} seat={near} />
      {seat !== undefined && !isOver && (
        <>
          <Hand page={page} view={view} hand={table.sides[seat].hand ?? []} />
          <div class="buttons">
            {canPass(view) && (
              <button
                type="button"
                disabled={page.model.isActing}
                onClick={() => void page.act({ type: "pass" })}
              >
                {words(stageOf(view) === "counter" ? "table.passCounter" : "table.pass")}
              </button>
            )}
            <GiveUp page={page} />
          </div>
          <label class="keys">
            <input
              type="checkbox"
              checked={page.model.hasKeys}
              onChange={({ currentTarget }) => page.change({ hasKeys: currentTarget.checked })}
            />
            {words("table.keys")}
          </label>
        </>
      )}
    </section>
  );
}

interface SideParts extends Parts {
  readonly seat: Seat;
}

function SideLine({ page, view, table, seat }: SideParts) {
  const { words } = page;
  const { score, points, handSize, deckSize } = table.sides[seat];
  const user = harmless(view.players[seat].user);
  const isDuel = view.rules === "duel";
  const said = words(isDuel ? "duel.life" : "duel.score", { score });
  return (
    <section class="side" aria-label={user}>
      <h3 class={table.turn.includes(seat) ? "is-moving" : ""}>
        <bdi>{user}</bdi>
      </h3>
      <p>{said}</p>
      {isDuel && <meter aria-label={said} min={0} max={mostLife} low={25} value={score} />}
      {points !== undefined && <p>{words("duel.points", { points })}</p>}
      <p>{words("duel.handSize", { count: handSize })}</p>
      <p>{words("duel.deckSize", { count: deckSize })}</p>
    </section>
  );
}

function LaidCard({ page, view, seat }: SideParts) {
  const { words } = page;
  const { card, isPast } = laidBy(view, page.model.events, seat);
  const user = harmless(view.players[seat].user);
  const hasCost = view.rules === "duel";
  const said =
    card === undefined
      ? words("duel.noCard")
      : card === "hidden"
        ? words("duel.faceDown")
        : cardLabel({ page, card, hasCost });
  return (
    <div
      class={isPast ? "place is-past" : "place"}
      role="img"
      aria-label={`${user}: ${isPast && card !== undefined ? `${words("table.past")}: ` : ""}${said}`}
    >
      {card === "hidden" && <CardBack />}
      {card !== undefined && card !== "hidden" && (
        <CardFace page={page} card={card} hasCost={hasCost} />
      )}
    </div>
  );
}

/** Whose move it is, and how long it may take. */
function Turn({ page, view, table }: Parts) {
  const { words } = page;
  const left = secondsLeft(page.model);
  const [mover] = table.turn;
  const stage = stageOf(view);
  const told =
    stage === "play"
      ? words("duel.yourMove")
      : stage === "counter"
        ? words("duel.counterNow")
        : mover === undefined
          ? ""
          : words("duel.theirMove", { user: harmless(view.players[mover].user) });
  const { round } = table;
  return (
    <div class="turn">
      <p>{words(view.rules === "duel" ? "duel.turn" : "duel.round", { round })}</p>
      <p role="status" class={stage === "wait" ? "" : "is-own"}>
        {told}
      </p>
      {left !== undefined && (
        <p class={left <= 5 ? "timer is-short" : "timer"} role="timer" aria-live="off">
          {words("duel.seconds", { seconds: left })}
        </p>
      )}
    </div>
  );
}

interface HandParts {
  readonly page: DuelPage;
  readonly view: MatchView;
  readonly hand: readonly CardId[];
}

function Hand({ page, view, hand }: HandParts) {
  const { words } = page;
  const { hasKeys, isActing } = page.model;
  const list = useRef<HTMLUListElement>(null);
  const hadFocus = useRef(false);
  // The card with the focus may have been played: the focus then stays in the hand.
  useLayoutEffect(() => {
    if (hadFocus.current && document.activeElement === document.body) list.current?.focus();
  }, [hand.length]);
  if (hand.length === 0) return <p>{words("duel.noHand")}</p>;
  const hasCost = view.rules === "duel";
  return (
    <ul
      class="hand"
      ref={list}
      tabIndex={-1}
      aria-label={words("duel.hand")}
      onFocusIn={() => {
        hadFocus.current = true;
      }}
      onFocusOut={({ relatedTarget }) => {
        hadFocus.current = relatedTarget === null;
      }}
    >
      {hand.map((card, at) => {
        const action = actionWith(view, card);
        return (
          <li key={card}>
            <button
              type="button"
              class="card"
              aria-disabled={action === undefined || isActing}
              aria-keyshortcuts={hasKeys && at < 9 ? String(at + 1) : undefined}
              onClick={() => action !== undefined && void page.act(action)}
            >
              <CardFace page={page} card={card} hasCost={hasCost} />
              {hasKeys && at < 9 && (
                <span class="key" aria-hidden="true">
                  {at + 1}
                </span>
              )}
            </button>
          </li>
        );
      })}
    </ul>
  );
}
