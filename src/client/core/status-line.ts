import { harmless } from "../../protocol/harmless.ts";
import type { ChatModel } from "./chat-model.ts";
import { type Line, lineCells, type Span, span } from "./spans.ts";

interface Part {
  readonly span: Span;
  /** If there is no room for all parts, parts of the highest rank are left out first. */
  readonly rank: number;
}

/**
 * The status line: the user, the connection, the round trip, the server that answered last, the
 * clock, and the number of replicas that had the last sent message.
 */
export function statusLine(model: ChatModel, columns: number): Line {
  const { words, me, isAway, roundTripMs, server, clock, replicas, quitAskedMs } = model;
  if (quitAskedMs !== undefined) return [span(words("chat.quitAgain"), "warning")];
  const parts: Part[] = [{ span: span(harmless(me), "bold"), rank: 0 }];
  if (isAway) parts.push({ span: span(words("chat.away"), "warning"), rank: 1 });
  parts.push({ span: connection(model), rank: 0 });
  const isConnected = model.connection.state === "connected";
  if (isConnected && roundTripMs !== undefined) {
    parts.push({ span: span(words("chat.roundTrip", { ms: roundTripMs }), "dim"), rank: 3 });
  }
  if (server !== undefined) parts.push({ span: span(harmless(server), "dim"), rank: 4 });
  parts.push({ span: span(words("chat.clock", { clock }), "dim"), rank: 5 });
  if (replicas !== undefined) {
    const said = words(replicas === 1 ? "chat.replica" : "chat.replicas", { count: replicas });
    parts.push({ span: span(`✓ ${said}`, "dim"), rank: 2 });
  }
  let shown = parts;
  while (lineCells(joined(shown)) > columns && shown.length > 1) {
    const highest = Math.max(...shown.map(({ rank }) => rank));
    if (highest === 0) return [connection(model)];
    shown = shown.filter(({ rank }) => rank !== highest);
  }
  return joined(shown);
}

function joined(parts: readonly Part[]): Line {
  return parts.flatMap((part, at) => (at === 0 ? [part.span] : [span(" · ", "dim"), part.span]));
}

function connection({ connection: { state, ...more }, words, nowMs }: ChatModel): Span {
  switch (state) {
    case "connected":
      return span(words("chat.connected"), "good");
    case "connecting":
      return span(words("chat.connecting"), "warning");
    case "gave up":
      return span(words("chat.gaveUp"), "bad");
    case "reconnecting": {
      const { retryAtMs } = more as { readonly retryAtMs?: number };
      const leftMs = (retryAtMs ?? 0) - nowMs;
      return leftMs > 0
        ? span(words("chat.reconnectingIn", { seconds: Math.ceil(leftMs / 1_000) }), "warning")
        : span(words("chat.reconnecting"), "warning");
    }
    default:
      return state satisfies never;
  }
}
