import { beforeAll, describe, expect, test } from "vitest";
import type { Session } from "../../src/client/session.ts";
import { ProtocolError } from "../../src/protocol/errors.ts";
import { parseChannelName, parseUserName } from "../../src/protocol/ids.ts";
import type { StepKind, Trace } from "../../src/protocol/steps.ts";
import { LocalCluster } from "../../src/trials/local-cluster.ts";
import { describeReplicas } from "../support/describe-replicas.ts";
import {
  buildPreviousRelease,
  previousRelease,
  programOf,
  whyNotBuilt,
} from "../support/previous-release.ts";
import { until } from "../support/until.ts";

const channel = parseChannelName("geral");

async function writer(cluster: LocalCluster): Promise<Session> {
  const session = cluster.client({ deadlineMs: 60_000 });
  await session.login(parseUserName("ana"));
  await session.createChannel(channel);
  return session;
}

/** Asks until a trace is right, because some steps follow with the next heartbeat. */
async function traced(
  session: Session,
  of: string,
  isRight: (trace: Trace) => boolean,
): Promise<Trace> {
  let found: Trace | undefined;
  const isFound = async () => {
    try {
      found = await session.trace(of);
      return isRight(found);
    } catch (error) {
      // A server of the previous release does not know the service.
      if (error instanceof ProtocolError && error.code === "unknown_service") return false;
      throw error;
    }
  };
  await until(isFound, `the trace of ${of}`, 60_000);
  return found as Trace;
}

describeReplicas("a trace of real servers", { timeout: 120_000 }, () => {
  test("[Q14] a trace has the steps of each running server, and names a stopped one", async () => {
    await using cluster = await LocalCluster.start();
    const session = await writer(cluster);
    await session.subscribe({ channel }, () => {});
    const { id, server: origin } = await session.publish(channel, "oi");
    const wanted: StepKind[] = ["synced", "committed"];
    const { event, servers, silent } = await traced(session, id, ({ servers }) => {
      const isWhole = (kinds: StepKind[]) => wanted.every((kind) => kinds.includes(kind));
      return servers.length === 3 && servers.every(({ steps }) => isWhole(steps.map(kindOf)));
    });
    expect(event).toMatchObject({ id, server: origin, operation: "publication" });
    expect(silent).toEqual([]);
    const [first, ...others] = servers;
    expect(first?.name).toBe(origin);
    expect(first?.steps.map(kindOf)).toEqual(
      expect.arrayContaining(["asked", "made", "sent", "heard", "replied", "published"]),
    );
    const sent = first?.steps.find(({ kind }) => kind === "sent");
    for (const { steps } of others) {
      const received = steps.find(({ kind }) => kind === "received");
      expect(received).toMatchObject({ peer: origin, sentClock: sent?.clock });
      expect(received?.clock).toBeGreaterThan(sent?.clock ?? Number.POSITIVE_INFINITY);
      expect(steps.map(kindOf)).toContain("acknowledged");
    }

    const stopped = cluster.server(3);
    process.kill(stopped.pid as number, "SIGSTOP");
    const later = await traced(session, id, (trace) => trace.silent.length > 0);
    process.kill(stopped.pid as number, "SIGCONT");
    expect(later.servers).toHaveLength(2);
    expect(later.event).toEqual(event);
  });
});

function kindOf({ kind }: { readonly kind: StepKind }): StepKind {
  return kind;
}

describe.skipIf(whyNotBuilt !== "")(
  `a trace beside release ${previousRelease.version}${whyNotBuilt}`,
  { timeout: 300_000 },
  () => {
    let previous = "";
    beforeAll(() => {
      previous = buildPreviousRelease();
    }, 120_000);

    test("[Q14] a server of the previous release is silent in a trace, and serves on", async () => {
      await using cluster = await LocalCluster.start({
        program: ({ label }) => (label === "server 3" ? programOf(previous) : undefined),
      });
      const session = await writer(cluster);
      const { id } = await session.publish(channel, "oi");
      const { silent } = await traced(session, id, ({ servers }) => servers.length === 2);
      expect(silent).toHaveLength(1);
      const isServing = async () => (await session.publish(channel, "oi")).server === silent[0];
      await until(isServing, "the server of the previous release makes an event", 60_000);
    });
  },
);
