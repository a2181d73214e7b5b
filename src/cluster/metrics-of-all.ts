import { json, type Page, serveHttp } from "../net/metrics-port.ts";
import type { Child } from "./child.ts";

const patienceMs = 2_000;

/**
 * Serves the metrics and the health of all processes of `up` at one endpoint:
 *
 *     GET /targets               the processes, as Prometheus's `http_sd_configs` expects them
 *     GET /metrics/ROLE/NUMBER   the metrics of one process
 *     GET /livez                 200
 *     GET /readyz                200 if all processes are ready, else 503 with the reasons
 *
 * @throws Problem if the endpoint can't be bound
 */
export function serveMetricsOfAll(
  endpoint: string,
  children: () => readonly Child[],
): ReturnType<typeof serveHttp> {
  const measured = () => children().filter(({ role }) => role !== "bot");
  return serveHttp(endpoint, (path, host) => {
    switch (path) {
      case "/targets":
        return json(
          200,
          measured().map((child) => target(child, host)),
        );
      case "/livez":
        return json(200, { live: true });
      case "/readyz":
        return readiness(measured());
      default: {
        const child = measured().find((one) => path === pathOf(one));
        return child && pageOf(child, "/metrics");
      }
    }
  });
}

function pathOf({ role, number }: Child): string {
  return `/metrics/${role}/${number}`;
}

function target(child: Child, host: string) {
  // All processes have one address here, so the label `instance` says which process it is.
  const labels = { __metrics_path__: pathOf(child), instance: child.label };
  return { targets: [host], labels };
}

async function readiness(children: readonly Child[]): Promise<Page> {
  const asked = children.map(async (child) => {
    const { status, body } = await pageOf(child, "/readyz");
    if (status === 200) return [];
    const { reasons = [unanswered] } = JSON.parse(body) as { readonly reasons?: readonly string[] };
    return reasons.map((reason) => `${child.label}: ${reason}`);
  });
  const reasons = (await Promise.all(asked)).flat();
  return json(reasons.length === 0 ? 200 : 503, { ready: reasons.length === 0, reasons });
}

const unanswered = "it does not answer";

/** Passes a request on to a process. The status is 502 if the process does not answer. */
async function pageOf({ ready, isReady }: Child, path: string): Promise<Page> {
  const endpoint = isReady ? ready?.endpoints.metrics : undefined;
  try {
    if (endpoint === undefined) throw new Error(unanswered);
    const signal = AbortSignal.timeout(patienceMs);
    const response = await fetch(endpoint.replace(/^tcp:/, "http:") + path, { signal });
    const type = response.headers.get("content-type") ?? "";
    return { status: response.status, type, body: await response.text() };
  } catch {
    return json(502, { error: unanswered });
  }
}
