import { isFinal } from "../../net/handshake.ts";
import { ReferenceLink } from "../../net/reference-link.ts";
import { pause } from "../../platform/clock.ts";
import { addressesOf } from "../../platform/endpoint.ts";
import { Problem } from "../../platform/problem.ts";
import { retrying } from "../../platform/retry.ts";
import { untilStopped } from "../../platform/run-process.ts";
import { writeEpoch } from "../../protocol/epoch.ts";
import { harmless } from "../../protocol/harmless.ts";
import { LamportClock } from "../../protocol/lamport-clock.ts";
import {
  type ClusterStatus,
  clusterStatus,
  type StatusSources,
  statusTable,
} from "../core/cluster-status.ts";
import { type Paint, plain } from "../core/paint.ts";
import type { Session } from "../session.ts";
import { type Context, withClient } from "./context.ts";
import { asFailure } from "./failure.ts";
import { Failure } from "./report.ts";

const watchEveryMs = 1_000;

/**
 * `tertulia status`: prints every process of the cluster.
 * @throws Problem (exit code 1) with the cluster's problems, if the cluster is unhealthy
 */
export async function status(
  context: Context,
  { watch = false }: { readonly watch?: boolean },
): Promise<void> {
  const stopping = new AbortController();
  const stopped = untilStopped().then(() => stopping.abort());
  const link = new ReferenceLink(context.config.reference, new LamportClock());
  try {
    await withClient(context, (client) => {
      const look = watch
        ? watchIt(context, { client, link, signal: stopping.signal })
        : lookOnce(context, { client, link });
      return Promise.race([look, stopped]);
    });
  } finally {
    link.close();
  }
}

interface Links {
  readonly client: Session;
  readonly link: ReferenceLink;
}

async function watchIt(
  context: Context,
  { signal, ...links }: Links & { signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    const { cluster } = await ask(context, links);
    context.output.clear();
    show(context, cluster);
    for (const line of [...problems(context, cluster), ...warnings(context, cluster)]) {
      context.output.note(line);
    }
    await pause(watchEveryMs, signal);
  }
}

async function lookOnce(context: Context, links: Links): Promise<void> {
  const { cluster, failure } = await ask(context, links);
  // If neither a server nor the reference answered, report why no server did.
  if (cluster.processes.length === 0) throw failure;
  // Servers of the original protocol have no status to show.
  if (failure instanceof Failure && failure.code === "unsupported") throw failure;
  show(context, cluster);
  for (const line of warnings(context, cluster)) context.output.note(line);
  if (cluster.healthy) return;
  const cause = failure instanceof Problem ? [failure.message] : [];
  throw new Problem([...problems(context, cluster), ...cause].join(" "));
}

/** Asks a server and the reference, both of which may be down. */
async function ask(
  context: Context,
  { client, link }: Links,
): Promise<{ cluster: ClusterStatus; failure: unknown }> {
  const { config } = context;
  let failure: unknown;
  const fromServer = client.status().catch((error: unknown) => {
    failure = asFailure(error, context, client);
    return undefined;
  });
  const address = addressesOf(config.reference);
  const fromReference = askReference(link, Math.min(config.timeoutMs, referenceTimeoutMs)).then(
    (reply): StatusSources["reference"] => (reply === undefined ? undefined : { address, reply }),
  );
  const [server, reference] = await Promise.all([fromServer, fromReference]);
  return { cluster: clusterStatus({ server, reference }), failure };
}

const referenceTimeoutMs = 2_500;
const tryMs = 250;

/**
 * Asks for the list every `tryMs` until the reference answers. A link loses the questions that are
 * sent before it is connected.
 * @returns undefined if no answer arrives within about `timeoutMs`
 */
export async function askReference(
  link: ReferenceLink,
  timeoutMs: number,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const mostTries = Math.ceil(timeoutMs / tryMs);
  const canHelp = () => !isFinal(link.refusal);
  try {
    return await retrying({ mostTries, canHelp, pauseMs: 0 }, () => link.ask("list", {}, tryMs));
  } catch {
    return undefined;
  }
}

/** The cluster's status for a chat: a summary, a line for each process, and the problems. */
export async function statusLines(context: Context, client: Session): Promise<string[]> {
  const link = new ReferenceLink(context.config.reference, new LamportClock());
  const { cluster } = await ask(context, { client, link }).finally(() => link.close());
  const rows = cluster.processes.map(({ role, name, address, live, phase, lag }) => {
    const state = live ? (phase ?? "") : context.text("status.down");
    const behind = lag === null ? "" : `${context.text("status.lag")} ${lag}`;
    return [role, name, address, state, behind].filter((part) => part !== "").join(" · ");
  });
  return [
    summary(context, cluster, plain),
    ...rows,
    ...countsOf(context, cluster),
    ...problems(context, cluster),
    ...warnings(context, cluster),
  ];
}

function warnings({ text }: Context, cluster: ClusterStatus): string[] {
  return cluster.warnings.map((warning) => text(`status.${warning}`));
}

function show(context: Context, cluster: ClusterStatus): void {
  const { output } = context;
  if (output.json) return output.value(cluster);
  output.line(summary(context, cluster, output.paint));
  for (const line of statusTable(cluster, context.text)) output.line(line);
  for (const line of countsOf(context, cluster)) output.line(line);
}

/** A line for each process that has refused a message or a clock. */
function countsOf({ text }: Context, { processes }: ClusterStatus): string[] {
  return processes.flatMap(({ name, refused, disbelievedClocks }) => {
    const { forged, stale } = refused ?? { forged: 0, stale: 0 };
    const clocks = disbelievedClocks ?? 0;
    if (forged + stale + clocks === 0) return [];
    return [text("status.counts", { name: harmless(name), forged, stale, clocks })];
  });
}

function summary({ text }: Context, cluster: ClusterStatus, paint: Paint): string {
  const { healthy, coordinator, epoch, view } = cluster;
  const live = cluster.liveMembers ?? "-";
  const health = healthy
    ? paint("green", text("status.healthy"))
    : paint("red", text("status.unhealthy"));
  const members = text("status.members", { live, count: view.members.length });
  return text("status.summary", {
    health,
    coordinator: harmless(String(coordinator ?? "-")),
    epoch: epoch === null ? "-" : writeEpoch(epoch),
    view: view.number,
    members,
  });
}

function problems({ text }: Context, cluster: ClusterStatus): string[] {
  const { liveMembers, quorum, view } = cluster;
  const members = { live: liveMembers ?? "-", quorum, count: view.members.length };
  return cluster.problems.map((problem) =>
    problem === "noQuorum" ? text("status.noQuorum", members) : text(`status.${problem}`),
  );
}
