import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type Metrics, noMetrics } from "../platform/metrics.ts";
import { listen } from "./listen.ts";

/** What a process answers at its metrics endpoint. */
export interface MetricsPort extends AsyncDisposable {
  /** The bound endpoint; undefined if the process has none. */
  readonly endpoint: string | undefined;
  readonly metrics: Metrics;
}

export interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/**
 * Returns the page at a path; undefined for an unknown path. @param host the host and port at which
 * the asker has found this process
 */
type PageAt = (path: string, host: string) => Promise<Page> | Page | undefined;

/** The most connections; a Prometheus needs one, a prober one more. */
const mostConnections = 32;
/** The most time for a request to arrive, and for the asker to read the page. */
const patienceMs = 5_000;
const checkMs = 1_000;

/**
 * Binds the endpoint at which a process shows its metrics and its health, over HTTP:
 *
 *     GET /metrics  the metrics in the text format of Prometheus
 *     GET /livez    200 while the process runs its event loop
 *     GET /readyz   200 if the process is ready, else 503 with the reasons
 *
 * Both health paths answer with JSON.
 * @param endpoint undefined if nobody wants the metrics
 * @param unready returns why the process is not ready; undefined if it is ready
 * @throws Problem if the endpoint can't be bound
 */
export async function openMetricsPort(
  endpoint: string | undefined,
  unready: () => string | undefined,
): Promise<MetricsPort> {
  if (endpoint === undefined) {
    return { endpoint, metrics: noMetrics, [Symbol.asyncDispose]: async () => {} };
  }
  // The library takes some time to load, so only a process with metrics loads it.
  const { PrometheusMetrics } = await import("../platform/prometheus.ts");
  const metrics = new PrometheusMetrics();
  const pageAt: PageAt = (path) => {
    switch (path) {
      case "/metrics":
        return metrics.text().then((body) => ({ status: 200, type: metrics.contentType, body }));
      case "/livez":
        return json(200, { live: true });
      case "/readyz":
        return readiness(unready());
      default:
        return undefined;
    }
  };
  return { metrics, ...(await serveHttp(endpoint, pageAt)) };
}

function readiness(reason: string | undefined): Page {
  if (reason === undefined) return json(200, { ready: true });
  return json(503, { ready: false, reasons: [reason] });
}

export function json(status: number, value: unknown): Page {
  return { status, type: "application/json; charset=utf-8", body: `${JSON.stringify(value)}\n` };
}

/** Answers GET requests at an endpoint. @throws Problem if the endpoint can't be bound */
export async function serveHttp(
  endpoint: string,
  pageAt: PageAt,
): Promise<{ readonly endpoint: string } & AsyncDisposable> {
  const options = {
    requestTimeout: patienceMs,
    headersTimeout: patienceMs,
    connectionsCheckingInterval: checkMs,
  };
  const server = createServer(options, (request, response) => {
    void respond(pageAt, request, response);
  });
  server.maxConnections = mostConnections;
  server.timeout = patienceMs;
  // Many requests of one connection, whose pages nobody reads, would fill the memory.
  server.maxRequestsPerSocket = 1;
  const bound = await listen(server, endpoint);
  return { endpoint: bound, [Symbol.asyncDispose]: () => closed(server) };
}

async function respond(
  pageAt: PageAt,
  { method, url = "", headers }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const isRead = method === "GET" || method === "HEAD";
  const [path = ""] = url.split("?");
  const page = isRead ? await safely(() => pageAt(path, headers.host ?? "")) : undefined;
  const { status, type, body } = page ?? notFound;
  response.writeHead(status, { "content-type": type, "cache-control": "no-store" });
  response.end(method === "HEAD" ? undefined : body);
}

/** A value that can't be read is no reason to end the process, so the asker gets the error. */
async function safely(page: () => ReturnType<PageAt>): Promise<Page | undefined> {
  try {
    return await page();
  } catch (error) {
    return json(500, { error: (error as Error).message });
  }
}

const notFound = json(404, { error: "There is no such page." });

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
