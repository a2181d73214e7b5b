import { isMatchId, type MatchId } from "../../protocol/matches.ts";

/** The most letters of a topic; no topic that a game server knows is longer. */
const mostLetters = 128;

/** Where a client publishes its commands. */
export type CommandTopic =
  /** `clientes/{temp}/login` */
  | { readonly kind: "login"; readonly client: string }
  /** `clientes/{id}/entrar_fila` */
  | { readonly kind: "queue"; readonly client: string }
  /** `partidas/{sala}/comandos` */
  | { readonly kind: "match"; readonly match: MatchId };

/** Where a client hears what happens: `clientes/{id}/eventos`, or `partidas/{sala}/eventos`. */
export type EventTopic =
  | { readonly kind: "client"; readonly client: string }
  | { readonly kind: "match"; readonly match: MatchId };

/** Returns undefined for any other topic. */
export function commandTopic(topic: string): CommandTopic | undefined {
  const [first, second, third] = partsOf(topic);
  if (first === "clientes" && second) {
    if (third === "login") return { kind: "login", client: second };
    if (third === "entrar_fila") return { kind: "queue", client: second };
  }
  const isOfMatch = first === "partidas" && third === "comandos" && isMatchId(second);
  return isOfMatch ? { kind: "match", match: second as MatchId } : undefined;
}

/** Returns undefined for any other topic, and for every filter with a wildcard. */
export function eventTopic(topic: string): EventTopic | undefined {
  const [first, second, third] = partsOf(topic);
  if (third !== "eventos" || !second) return undefined;
  if (first === "clientes") return { kind: "client", client: second };
  if (first === "partidas" && isMatchId(second)) return { kind: "match", match: second };
  return undefined;
}

export function clientEvents(client: string): string {
  return `clientes/${client}/eventos`;
}

export function matchEvents(match: MatchId): string {
  return `partidas/${match}/eventos`;
}

/** Returns the three levels of a topic; none if it has another number of levels, or a wildcard. */
function partsOf(topic: string): readonly string[] {
  if (topic.length > mostLetters || /[+#\0]/.test(topic)) return [];
  const parts = topic.split("/");
  return parts.length === 3 ? parts : [];
}
