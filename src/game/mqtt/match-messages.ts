import { type CardId, kindOf } from "../../protocol/cards.ts";
import { isMap } from "../../protocol/fields.ts";
import type { MatchView, Seat, ShownEvent } from "../../protocol/game-view.ts";
import type { Message } from "./envelope.ts";

/** What a player has been told of their latest match: nothing that they may not see. */
export interface MatchStory {
  readonly view: MatchView;
  /** In their order; of a very long match, the last ones. */
  readonly events: readonly ShownEvent[];
}

/** The sentence of the origin. */
const failoverSentence =
  "O servidor da partida falhou. A partida continuará em um servidor reserva.";
const nobody = "EMPATE";

/** Returns what is told to the player alone about the events after `after`. */
export function personalMessages({ view, events }: MatchStory, after: number): Message[] {
  const own = events.filter(({ eventSeq, data }) => eventSeq > after && data.seat === view.seat);
  const chosen = own.flatMap((event) => chosenCards(view, event) ?? []);
  if (after >= 0) return chosen;
  const rival = view.seat === 1 ? view.players[0].user : view.players[1].user;
  const dados = { salaID: view.match, oponenteID: rival, oponenteNome: rival, regras: view.rules };
  return [{ comando: "PARTIDA_ENCONTRADA", dados }, ...chosen];
}

/** Returns the message for a player that has chosen cards; undefined for any other event. */
function chosenCards(view: MatchView, { type, data }: ShownEvent): Message | undefined {
  const cartas = Array.isArray(data.cards) ? data.cards.map(cardOf) : [];
  const sala = { sala_id: view.match };
  if (type === "PURCHASE_PACK") {
    return { comando: "PACOTE_RESULTADO", dados: { cartas, pacote: data.pack, ...sala } };
  }
  return type === "DECK_CHOSEN"
    ? { comando: "BARALHO_ESCOLHIDO", dados: { cartas, ...sala } }
    : undefined;
}

/** Returns what is told on the match's topic about the events after `after`. */
export function matchMessages({ view, events }: MatchStory, after: number): Message[] {
  const state = stateOf(view);
  const told = events
    .filter(({ eventSeq, type }) => eventSeq > after && type !== "MATCH_FOUND")
    .flatMap((event) => messagesOf(view, event, state));
  // The first events of a very long match are not kept, but whoever comes back needs the start.
  const isCut = after < 0 && view.table !== undefined && (events[0]?.eventSeq ?? 0) > 0;
  return isCut ? [started(view, state), ...told] : told;
}

function started(view: MatchView, state: object): Message {
  const jogadores = view.players.map(({ user }) => user);
  return { comando: "PARTIDA_INICIADA", dados: { ...state, jogadores, regras: view.rules } };
}

function messagesOf(view: MatchView, event: ShownEvent, state: object): readonly Message[] {
  const { eventSeq, type, data } = event;
  if (type === "MATCH_END") {
    const vencedorNome = nameOf(view, data.winner) ?? nobody;
    const isVoid = data.isVoid === true ? { anulada: true } : {};
    const end = { vencedorNome, sala_id: view.match, ...isVoid, seed: data.seed, eventSeq };
    return [{ comando: "FIM_DE_JOGO", dados: end }];
  }
  const winner = type === "ROUND_END" ? (nameOf(view, data.winner) ?? nobody) : "";
  const update: Message = {
    comando: "ATUALIZACAO_JOGO",
    dados: {
      ...state,
      mensagemDoTurno: sentenceOf(view, event),
      ultimaJogada: playedIn(view, event),
      vencedorJogada: winner,
      vencedorRodada: winner,
      eventSeq,
    },
  };
  return type === "MATCH_START" ? [started(view, state), update] : [update];
}

/** Returns how things stand for the viewer. */
function stateOf(view: MatchView): object {
  const { match, table, seat, players } = view;
  const scores = byName(view, (one) => table?.sides[one].score ?? 0);
  const turn = table?.turn ?? [];
  // Where both move at once, each is told that the turn is theirs.
  const mover = seat !== undefined && turn.includes(seat) ? seat : turn[0];
  return {
    contagemCartas: byName(view, (one) => table?.sides[one].handSize ?? 0),
    numeroRodada: table?.round ?? 0,
    pontosRodada: scores,
    pontosPartida: scores,
    sala_id: match,
    turnoDe: mover === undefined ? "" : players[mover].user,
    prazoMs: table?.deadlineMs ?? view.prepareUntilMs,
    mao: seat === undefined ? [] : (table?.sides[seat].hand ?? []).map(cardOf),
    mesa: byName(view, (one) => table?.sides[one].table),
    energia: byName(view, (one) => table?.sides[one].points),
  };
}

/** Returns the cards that an event shows, by the player's name; no card that is still hidden. */
function playedIn(view: MatchView, { type, data }: ShownEvent): object {
  const pairs: (readonly [unknown, unknown])[] =
    type === "ROUND_END" && Array.isArray(data.cards)
      ? data.cards.map((card, seat) => [seat, card])
      : [[data.seat, data.card]];
  const shown = pairs.flatMap(([seat, card]) => {
    const name = nameOf(view, seat);
    const isKnown = name !== undefined && typeof card === "string" && kindOf(card) !== undefined;
    return isKnown ? [[name, cardOf(card)]] : [];
  });
  return Object.fromEntries(shown);
}

function sentenceOf(view: MatchView, { type, data }: ShownEvent): string {
  const name = nameOf(view, data.seat) ?? "";
  switch (type) {
    case "DECK_CHOSEN":
    case "PURCHASE_PACK":
      return `${name} está pronto.`;
    case "MATCH_START":
      return "A partida começou.";
    case "CARD_PLAYED":
      return data.card === "hidden" ? `${name} jogou uma carta.` : `${name} jogou ${data.card}.`;
    case "CARD_COUNTERED":
      return `${name} anulou com ${data.card}.`;
    case "PASSED":
      return `${name} passou.`;
    case "GAVE_UP":
      return data.isGone === true ? `${name} ficou ausente.` : `${name} desistiu.`;
    case "FAILOVER":
      return hasNewHost(data) ? failoverSentence : "A partida tem outro servidor reserva.";
    case "ROUND_END":
      return roundSentence(view, data);
    default:
      return "";
  }
}

function roundSentence(view: MatchView, data: ShownEvent["data"]): string {
  const round = `A rodada ${data.round} terminou`;
  if (typeof data.damage === "number") return `${round}: ${data.damage} de dano.`;
  const winner = nameOf(view, data.winner);
  return winner === undefined ? `${round} empatada.` : `${round}: ${winner} venceu.`;
}

/** A new term may also only replace the copy: then nobody notices anything. */
function hasNewHost(data: ShownEvent["data"]): boolean {
  const [old, next] = [data.old, data.new];
  return !(isMap(old) && isMap(next) && old.host === next.host);
}

function nameOf({ players }: MatchView, seat: unknown): string | undefined {
  return seat === 0 || seat === 1 ? players[seat].user : undefined;
}

function byName<Value>({ players }: MatchView, find: (seat: Seat) => Value): object {
  return Object.fromEntries([
    [players[0].user, find(0)],
    [players[1].user, find(1)],
  ]);
}

/** Returns a card as the origin writes it; in place of a suit, it has an attribute. */
function cardOf(id: CardId): object {
  const kind = kindOf(id);
  if (kind === undefined) return { id };
  const { name, attribute, power, rarity } = kind;
  return { id, nome: name, atributo: attribute, valor: power, raridade: rarity };
}
