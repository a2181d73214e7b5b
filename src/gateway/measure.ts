import type { ServerResponse } from "node:http";
import type { Metrics } from "../platform/metrics.ts";

export interface AnsweredRequest {
  /** The route's pattern, such as `/api/v1/channels/:channel/messages`, or `none`. */
  readonly route: string;
  readonly method: string;
  readonly status: number;
  readonly seconds: number;
}

interface Measured {
  isReady(): boolean;
  /** How many WebSockets the gateway has closed, by reason. */
  readonly closes: ReadonlyMap<string, number>;
  /** Returns the number of open WebSockets and streams of events. */
  liveConnections(): number;
  /** Returns the number of unanswered requests to the cluster. */
  openRequests(): number;
}

/** The histogram's bounds, in seconds. The last is the longest wait for a server. */
const secondsBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15];

/** Methods that the metrics name. All others count as one, because anybody can invent methods. */
const known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** Counts the HTTP requests of a gateway, and adds its metrics (O50). */
export class Traffic {
  readonly #took: (seconds: number) => void;
  readonly #counts = new Map<string, { labels: Record<string, string>; value: number }>();
  #open = 0;

  constructor(metrics: Metrics, { isReady, closes, liveConnections, openRequests }: Measured) {
    metrics.gauge({ name: "tertulia_ready", help: "1 while the gateway can serve, else 0." }, () =>
      Number(isReady()),
    );
    metrics.counter(
      {
        name: "tertulia_closed_sockets_total",
        help: "WebSockets that the gateway has closed.",
        labels: ["reason"],
      },
      () => [...closes].map(([reason, value]) => ({ labels: { reason }, value })),
    );
    metrics.gauge(
      { name: "tertulia_live_connections", help: "Open WebSockets and streams of events." },
      liveConnections,
    );
    metrics.gauge(
      { name: "tertulia_open_requests", help: "Requests that wait for an answer." },
      openRequests,
    );
    metrics.gauge(
      {
        name: "tertulia_open_http_requests",
        help: "HTTP requests that are being answered; each stream of events is one.",
      },
      () => this.#open,
    );
    metrics.counter(
      {
        name: "tertulia_http_requests_total",
        help: "Answered HTTP requests; unknown paths have the route none.",
        labels: ["route", "method", "status"],
      },
      () => [...this.#counts.values()],
    );
    this.#took = metrics.histogram(
      {
        name: "tertulia_http_request_seconds",
        help: "From an HTTP request's headers to the end of the reply, without streams of events.",
      },
      secondsBounds,
    );
  }

  /** Counts a request as open until its reply is closed. */
  begins(reply: ServerResponse): void {
    this.#open += 1;
    reply.once("close", () => {
      this.#open -= 1;
    });
  }

  answered({ route, method: said, status, seconds }: AnsweredRequest): void {
    if (!route.endsWith("/events")) this.#took(seconds);
    const method = known.includes(said) ? said : "other";
    const labels = { route, method, status: String(status) };
    const key = Object.values(labels).join(" ");
    const { value } = this.#counts.get(key) ?? { value: 0 };
    this.#counts.set(key, { labels, value: value + 1 });
  }
}
