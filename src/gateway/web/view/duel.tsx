import { harmless } from "../../../protocol/harmless.ts";
import { rulesNames } from "../../../protocol/matches.ts";
import { secondsWaited, viewOf } from "../core/duel-model.ts";
import type { DuelPage } from "../duel-page.ts";
import { MatchLog } from "./match-log.tsx";
import { Prepare } from "./prepare.tsx";
import { Result } from "./result.tsx";
import { Table } from "./table.tsx";

/** The page about matches of cards. */
export function Duel({ page }: { readonly page: DuelPage }) {
  const { words } = page;
  return (
    <main class="duel">
      <header>
        <h1>{words("table.title")}</h1>
        <a href="/">{words("cluster.toChat")}</a>
      </header>
      <State page={page} />
      <Present page={page} />
    </main>
  );
}

/** Says what is wrong, to everybody. */
function State({ page }: { readonly page: DuelPage }) {
  const { words } = page;
  const { link, problem, isWithoutGame, me, look } = page.model;
  const isLost = link.state === "lost";
  const isBeginning = look === undefined && me !== "" && !isWithoutGame && !isLost;
  return (
    <>
      <p class="state" role="status">
        {isLost && words("duel.lost")}
        {!isLost && isWithoutGame && words("table.noGame")}
        {isBeginning && words("duel.connecting")}
      </p>
      <p class="problem" role="alert">
        {problem}
      </p>
    </>
  );
}

function Present({ page }: { readonly page: DuelPage }) {
  const { words } = page;
  const { me, of, look } = page.model;
  if (me === "") {
    return (
      <p>
        {words("table.logIn")} <a href="/">{words("page.logIn")}</a>
      </p>
    );
  }
  if (look === undefined) return null;
  const view = viewOf(page.model);
  if (view === undefined) {
    if (of === undefined) return <Lobby page={page} />;
    return <p role="status">{words("duel.watching", { user: harmless(of) })}</p>;
  }
  return (
    <div class="match">
      {view.over !== undefined && <Result page={page} view={view} />}
      {view.table === undefined ? (
        view.over === undefined && <Prepare page={page} view={view} />
      ) : (
        <Table page={page} view={view} table={view.table} />
      )}
      <MatchLog page={page} view={view} />
    </div>
  );
}

/** Where a person looks for a match, or chooses one to watch. */
function Lobby({ page }: { readonly page: DuelPage }) {
  const { words } = page;
  const { look, wants } = page.model;
  const waits = look?.phase === "waiting" || wants !== undefined;
  if (waits) {
    const rules = look?.phase === "waiting" ? look.rules : wants;
    return (
      <section class="lobby">
        <h2>{rules !== undefined && words(`duel.rules.${rules}`)}</h2>
        {/* The seconds are not announced, because they change all the time. */}
        <p role="timer" aria-live="off">
          {words("duel.waiting", { seconds: secondsWaited(page.model) })}
        </p>
        <button type="button" onClick={() => void page.leave()}>
          {words("table.leave")}
        </button>
      </section>
    );
  }
  return (
    <section class="lobby">
      <ul class="games">
        {rulesNames.map((rules) => (
          <li key={rules}>
            <h2>{words(`duel.rules.${rules}`)}</h2>
            <p>{words(`table.rules.${rules}`)}</p>
            <button
              type="button"
              class="main"
              aria-label={`${words(`duel.rules.${rules}`)}: ${words("table.look")}`}
              onClick={() => void page.enter(rules)}
            >
              {words("table.look")}
            </button>
          </li>
        ))}
      </ul>
      <p class="hint">{words("table.beats")}</p>
      <form action="/duel" class="watch">
        <label>
          {words("table.watchOf")} <input name="of" required autocomplete="off" />
        </label>
        <button type="submit">{words("table.watch")}</button>
      </form>
    </section>
  );
}
