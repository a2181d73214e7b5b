import { isMismatch } from "../../net/connection-refusal.ts";
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
import { problemSentence, warningSentence } from "../core/status-sentences.ts";
import type { Session } from "../session.ts";
import { type Context, withClient } from "./context.ts";
import { asFailure } from "./failure.ts";
import { Failure } from "./report.ts";

const watchEveryMs = 1_000;

/**
 * `tertulia status`: prints every process of the cluster.
 * @throws Problem (exit code 1) with the number of problems, if the cluster is unhealthy
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
    const asked = await ask(context, links);
    context.output.clear();
    show(context, asked);
    await pause(watchEveryMs, signal);
  }
}

async function lookOnce(context: Context, links: Links): Promise<void> {
  const asked = await ask(context, links);
  const { cluster, failure } = asked;
  // If neither a server nor the reference answered, report why no server did.
  if (cluster.processes.length === 0) throw failure;
  // Servers of the original protocol have no status to show.
  if (failure instanceof Failure && failure.code === "unsupported") throw failure;
  show(context, asked);
  if (cluster.healthy) return;
  const { text } = context;
  const count = cluster.problems.length;
  throw new Problem(count === 1 ? text("status.oneProblem") : text("status.problems", { count }));
}

interface Asked {
  readonly cluster: ClusterStatus;
  /** Why no server answered; undefined if one did. */
  readonly failure: unknown;
  /** The failure as the person reads it; undefined if the problem `noServer` says as much. */
  readonly cause: string | undefined;
}

/** Asks a server and the reference, both of which may be down. */
async function ask(context: Context, { client, link }: Links): Promise<Asked> {
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
  const configured = { brokers: config.brokers.length, proxies: config.proxies.length };
  const cluster = clusterStatus({ server, reference, configured });
  const isSilence =
    failure instanceof Failure &&
    failure.code === "unavailable" &&
    client.connection.state === "connected";
  const cause = failure instanceof Problem && !isSilence ? failure.message : undefined;
  return { cluster, failure, cause };
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
  const canHelp = () => !isMismatch(link.refusal);
  try {
    return await retrying({ mostTries, canHelp, pauseMs: 0 }, () => link.ask("list", {}, tryMs));
  } catch {
    return undefined;
  }
}

/** The cluster's status for a chat: as the command shows it, but with a line for each process. */
export async function statusLines(context: Context, client: Session): Promise<string[]> {
  const link = new ReferenceLink(context.config.reference, new LamportClock());
  const asked = await ask(context, { client, link }).finally(() => link.close());
  const { cluster } = asked;
  const rows = cluster.processes.map(({ role, name, address, live, phase, lag, version }) => {
    const state = live ? (phase ?? "") : context.text("status.down");
    const behind = lag === null ? "" : `${context.text("status.lag")} ${lag}`;
    return [role, name, address, version ?? "", state, behind]
      .filter((part) => part !== "")
      .join(" · ");
  });
  return [
    ...sentences(context, asked, plain),
    summary(context, cluster, plain),
    ...rows,
    ...countsOf(context, cluster),
  ];
}

function show(context: Context, asked: Asked): void {
  const { output, text } = context;
  const { cluster } = asked;
  if (output.json) return output.value(cluster);
  const lines = [
    ...sentences(context, asked, output.paint),
    summary(context, cluster, output.paint),
    ...statusTable(cluster, text),
    ...countsOf(context, cluster),
  ];
  for (const line of lines) output.line(line);
}

/** A line for each problem, and then for each warning. */
function sentences({ text }: Context, { cluster, cause }: Asked, paint: Paint): string[] {
  const hasQuorum = !cluster.problems.some(({ kind }) => kind === "noQuorum");
  const problem = paint("red", text("status.problem"));
  const warning = paint("yellow", text("status.warning"));
  return [
    ...cluster.problems.map((one) => {
      return `${problem} ${problemSentence(one, { text, cause, hasQuorum })}`;
    }),
    ...cluster.warnings.map((one) => `${warning} ${warningSentence(one, text)}`),
  ];
}

/** A line for each process that has refused a message. */
function countsOf({ text }: Context, { processes }: ClusterStatus): string[] {
  return processes.flatMap(({ name, refused }) => {
    const { forged, stale } = refused ?? { forged: 0, stale: 0 };
    if (forged + stale === 0) return [];
    return [text("status.counts", { name: harmless(name), forged, stale })];
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
