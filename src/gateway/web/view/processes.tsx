import type { ClusterStatus, ProcessStatus } from "../../../client/core/cluster-status.ts";
import { harmless } from "../../../protocol/harmless.ts";
import { roles } from "../../../protocol/reference-messages.ts";
import type { Text } from "../../../texts/texts.ts";
import {
  type ClusterModel,
  clockOf,
  highestClock,
  lowestShown,
  paceOf,
  type Track,
  trackPath,
  windowMs,
} from "../core/cluster-model.ts";
import type { Page } from "../page.ts";

interface Parts {
  readonly page: Page;
  readonly cluster: ClusterModel;
  readonly status: ClusterStatus;
}

const width = 300;
const height = 36;

/** A row for each process. The lines of all Lamport clocks have the same scale. */
export function Processes({ page, cluster, status }: Parts) {
  const { words } = page;
  const low = lowestShown(cluster);
  const high = highestClock(cluster);
  const frame = { width, height, nowMs: cluster.nowMs, low, high };
  const highest = [...cluster.clocks.values()].find((track) => clockOf(track) === high);
  return (
    <section aria-labelledby="processes">
      <h2 id="processes">{words("cluster.processes")}</h2>
      <p class="hint">{words("cluster.clockHint", { seconds: windowMs / 1_000 })}</p>
      <ul class="processes">
        {status.processes.map((process) => {
          const track = cluster.clocks.get(process.name);
          const isCoordinator = process.name === status.coordinator;
          return (
            <li key={`${process.role} ${process.name}`} class={process.live ? "" : "is-down"}>
              <p class="who">
                <bdi>{harmless(process.name)}</bdi>
                <span class="hint">{roleOf(process, words)}</span>
                {isCoordinator && <strong>{words("cluster.isCoordinator")}</strong>}
              </p>
              <p class="clock">
                <span class="aside">{words("cluster.clock")} </span>
                <b>{track === undefined ? "–" : clockOf(track)}</b>
                <span class="hint">{paceWords(track, { cluster, high, words })}</span>
              </p>
              <svg
                viewBox={`0 -2 ${width} ${height + 4}`}
                preserveAspectRatio="none"
                aria-hidden="true"
              >
                {highest !== undefined && <path class="highest" d={trackPath(highest, frame)} />}
                {track !== undefined && <path d={trackPath(track, frame)} />}
              </svg>
              <ul class="numbers">
                {numbersOf(process, words).map((number) => (
                  <li key={number}>{number}</li>
                ))}
              </ul>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function roleOf({ role }: ProcessStatus, words: Text): string {
  const known = roles.find((one) => one === role);
  return known === undefined ? harmless(role) : words(`cluster.role.${known}`);
}

interface Around {
  readonly cluster: ClusterModel;
  readonly high: number;
  readonly words: Text;
}

/** How fast the clock rises, and how far it is behind the highest one. */
function paceWords(track: Track | undefined, { cluster, high, words }: Around): string {
  if (track === undefined) return "";
  const pace = Math.round(paceOf(track, cluster.nowMs));
  const behind = high - clockOf(track);
  const rising = words("cluster.pace", { count: pace });
  return behind === 0 ? rising : `${rising} · ${words("cluster.behind", { count: behind })}`;
}

/** What a process reports; other roles report other things. */
function numbersOf(process: ProcessStatus, words: Text): string[] {
  const { live, phase, member, lag, rate, offsetMs, lastCorrectionMs, version } = process;
  const said = (value: number | null, write: (value: number) => string) =>
    value === null ? [] : [write(value)];
  return [
    ...(live ? [] : [words("status.down")]),
    ...(phase === null ? [] : [harmless(phase)]),
    ...(member === false ? [words("cluster.noMember")] : []),
    ...said(lag, (count) => words("cluster.lag", { count })),
    ...said(rate, (count) => words("cluster.rate", { count: Math.round(count * 10) / 10 })),
    ...said(offsetMs, (ms) => words("cluster.offset", { ms: signed(ms) })),
    ...said(lastCorrectionMs, (ms) => words("cluster.correction", { ms: signed(ms) })),
    ...(version === null ? [] : [words("cluster.version", { version })]),
  ];
}

function signed(ms: number): string {
  return ms > 0 ? `+${ms}` : String(ms).replace("-", "−");
}
