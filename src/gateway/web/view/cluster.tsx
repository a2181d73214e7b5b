import type { ClusterStatus } from "../../../client/core/cluster-status.ts";
import { problemSentence, warningSentence } from "../../../client/core/status-sentences.ts";
import { writeEpoch } from "../../../protocol/epoch.ts";
import { harmless } from "../../../protocol/harmless.ts";
import type { ClusterWatch } from "../cluster-watch.ts";
import { type ClusterModel, oldMs } from "../core/cluster-model.ts";
import type { Page } from "../page.ts";
import { Life } from "./life.tsx";
import { LogIn } from "./log-in.tsx";
import { Processes } from "./processes.tsx";
import { Settings } from "./settings.tsx";

interface Parts {
  readonly page: Page;
  readonly watch: ClusterWatch;
  readonly cluster: ClusterModel;
}

/** The cluster at work: what is wrong, the processes with their clocks, and the life of a message. */
export function Cluster({ page, watch, cluster }: Parts) {
  const { words } = page;
  const { access, status } = cluster;
  if (access === "logIn") return <LogIn page={page} />;
  // While no server answers, nobody can tell whether the person may see more.
  const isShown = access === "allowed" || (access === "unknown" && status?.server === null);
  return (
    <main class="cluster">
      <header>
        <h1>{words("cluster.title")}</h1>
        <a href="/">{words("cluster.toChat")}</a>
        <button type="button" class="quiet" onClick={() => page.change({ dialog: "settings" })}>
          {words("page.settings")}
        </button>
        {access !== "refused" && <Freshness page={page} cluster={cluster} />}
      </header>
      {access === "refused" && <p class="problem">{words("cluster.refused")}</p>}
      {isShown && status !== undefined && (
        <>
          <State page={page} status={status} />
          <Processes page={page} cluster={cluster} status={status} />
        </>
      )}
      {access === "allowed" && <Life page={page} watch={watch} user={cluster.user} />}
      {page.model.dialog === "settings" && <Settings page={page} />}
    </main>
  );
}

/** Says how old the numbers are, and why no newer ones come. */
function Freshness({ page, cluster }: Pick<Parts, "page" | "cluster">) {
  const { words } = page;
  const { status, heardMs, nowMs, failure } = cluster;
  const ageMs = nowMs - heardMs;
  const isOld = ageMs >= oldMs;
  const why = failure !== undefined && isOld ? page.describe(failure) : "";
  const old =
    status === undefined ? "" : words("cluster.old", { seconds: Math.floor(ageMs / 1_000) });
  const waiting = status === undefined && why === "" ? words("page.connecting") : "";
  return (
    <div class={isOld ? "freshness is-old" : "freshness"}>
      {/* The age is not announced, because it changes each second. */}
      <p role="status">{why || waiting}</p>
      <p>{isOld ? old : ""}</p>
    </div>
  );
}

/** First what is wrong, and then the coordinator and the members. */
function State({ page, status }: { readonly page: Page; readonly status: ClusterStatus }) {
  const { words } = page;
  const { problems, warnings, healthy, coordinator, epoch, view, liveMembers } = status;
  const hasQuorum = !problems.some(({ kind }) => kind === "noQuorum");
  const context = { text: words, cause: undefined, hasQuorum };
  const none = "–";
  const facts = [
    ["coordinator", coordinator === null ? none : harmless(coordinator)],
    ["epoch", epoch === null ? none : writeEpoch(epoch)],
    ["view", view.number],
    ["members", words("cluster.liveOf", { live: liveMembers ?? none, count: view.members.length })],
    ["quorum", status.quorum],
  ] as const;
  return (
    <section aria-labelledby="state">
      <h2 id="state" class={healthy ? "is-good" : "is-bad"}>
        <span aria-hidden="true">{healthy ? "● " : "▲ "}</span>
        {words(healthy ? "cluster.healthy" : "cluster.unhealthy")}
      </h2>
      <div role="status">
        <ul class="faults">
          {problems.map((problem) => {
            const sentence = problemSentence(problem, context);
            return (
              <li key={sentence} class="problem">
                {words("status.problem")} {sentence}
              </li>
            );
          })}
          {warnings.map((warning) => {
            const sentence = warningSentence(warning, words);
            return (
              <li key={sentence}>
                {words("status.warning")} {sentence}
              </li>
            );
          })}
        </ul>
      </div>
      <dl class="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{words(`cluster.${name}`)}</dt>
            <dd>
              <bdi>{value}</bdi>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
