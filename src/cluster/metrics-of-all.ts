import { type Answer, json, serveHttp } from "../net/metrics-port.ts";
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
        return child && ask(child, "/metrics");
      }
    }
  });
}

function pathOf({ role, number }: Child): string {
  return `/metrics/${role}/${number}`;
}

function target(child: Child, host: string) {
  const { role, label } = child;
  return { targets: [host], labels: { __metrics_path__: pathOf(child), role, process: label } };
}

async function readiness(children: readonly Child[]): Promise<Answer> {
  const asked = children.map(async (child) => {
    const { status, body } = await ask(child, "/readyz");
    return status === 200 ? [] : [`${child.label}: ${body.trim()}`];
  });
  const reasons = (await Promise.all(asked)).flat();
  return json(reasons.length === 0 ? 200 : 503, { ready: reasons.length === 0, reasons });
}

/** Passes a request on to a process. The answer is 502 if the process does not answer. */
async function ask({ ready }: Child, path: string): Promise<Answer> {
  const endpoint = ready?.endpoints.metrics ?? "";
  try {
    const signal = AbortSignal.timeout(patienceMs);
    const response = await fetch(endpoint.replace(/^tcp:/, "http:") + path, { signal });
    const type = response.headers.get("content-type") ?? "";
    return { status: response.status, type, body: await response.text() };
  } catch {
    return json(502, { error: "The process does not answer." });
  }
}
