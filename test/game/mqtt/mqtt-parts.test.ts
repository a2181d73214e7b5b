import fc from "fast-check";
import { expect, test } from "vitest";
import { actOf } from "../../../src/game/mqtt/commands.ts";
import { matchMessages } from "../../../src/game/mqtt/match-messages.ts";
import { PacketGuard } from "../../../src/game/mqtt/packet-guard.ts";
import type { MatchView } from "../../../src/protocol/game-view.ts";
import type { UserName } from "../../../src/protocol/ids.ts";
import type { GameName, MatchId } from "../../../src/protocol/matches.ts";

const match = "0123456789abcdef" as MatchId;
const [ada, bia] = ["ada", "bia"] as UserName[] as [UserName, UserName];
const [one, two, three] = ["1", "2", "3"].map((digit) => `game_0000000${digit}` as GameName);
const view: MatchView = {
  match,
  rules: "clash",
  players: [
    { user: ada, game: one as GameName },
    { user: bia, game: two as GameName },
  ],
  seat: 0,
  ready: [true, true],
  seedHash: "",
  eventSeq: 4,
};

function sentences(old: object, next: object) {
  const event = { eventSeq: 4, timestamp: 0, type: "FAILOVER", data: { old, new: next } };
  return matchMessages({ view, events: [event] }, 3).map(
    ({ dados }) => (dados as { mensagemDoTurno: string }).mensagemDoTurno,
  );
}

test("A takeover is told by the sentence of the origin", () => {
  expect(sentences({ host: one, shadow: two }, { host: two })).toEqual([
    "O servidor da partida falhou. A partida continuará em um servidor reserva.",
  ]);
});

test("A new copy of a match is not told as a failure", () => {
  expect(sentences({ host: one, shadow: two }, { host: one, shadow: three })).toEqual([
    "A partida tem outro servidor reserva.",
  ]);
});

test("A player who comes back to a very long match is told its start first", () => {
  const table = {
    round: 90,
    turn: [0 as const],
    sides: [
      { handSize: 1, deckSize: 0, score: 0, hand: ["wolf-common-1"] },
      { handSize: 1, deckSize: 0, score: 0 },
    ] as const,
  };
  const event = { eventSeq: 300, timestamp: 0, type: "PASSED", data: { seat: 1 } };
  const told = matchMessages({ view: { ...view, table }, events: [event] }, -1);
  expect(told.map(({ comando }) => comando)).toEqual(["PARTIDA_INICIADA", "ATUALIZACAO_JOGO"]);
});

const idOf = (name: string, fields: object, user = ada) =>
  actOf({ name, fields: { ...fields } }, { user, match })?.id;
const wolf = { carta_id: "wolf-common-3" };

test("A repeated action has an equal id, and each other action another one", () => {
  expect(idOf("JOGAR_CARTA", wolf)).toBe(idOf("JOGAR_CARTA", wolf));
  const ids = [
    idOf("JOGAR_CARTA", wolf),
    idOf("JOGAR_CARTA", { carta_id: "wolf-common-4" }),
    idOf("ANULAR", wolf),
    idOf("JOGAR_CARTA", wolf, bia),
    idOf("PASSAR", { rodada: 1 }),
    idOf("PASSAR", { rodada: 2 }),
    idOf("COMPRAR_PACOTE", {}),
    idOf("COMPRAR_PACOTE", { pacote: "premium" }),
    idOf("USAR_BARALHO", {}),
    idOf("DESISTIR", {}),
    idOf("DESISTIR", { id: "1" }),
  ];
  expect(new Set(ids).size).toBe(ids.length);
});

test("An id that the client gives counts in place of what the action is about", () => {
  expect(idOf("PASSAR", { id: "7" })).toBe(idOf("PASSAR", { id: "7", rodada: 3 }));
});

test("An id fits into the id of a purchase as a whole", () => {
  expect(`duel-${match}-${idOf("COMPRAR_PACOTE", { id: "x".repeat(64) })}`.length).toBeLessThan(65);
});

function framed(length: number): number[] {
  const bytes = [0x30];
  let rest = length;
  do {
    bytes.push((rest % 128) + (rest >= 128 ? 128 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return [...bytes, ...new Array<number>(length).fill(0xff)];
}

test("The guard takes packets up to the most bytes, however the stream is cut", () => {
  const lengths = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 6 });
  const property = fc.property(lengths, fc.integer({ min: 1, max: 50 }), (all, size) => {
    const bytes = Uint8Array.from(all.flatMap(framed));
    const guard = new PacketGuard(200);
    let isTaken = true;
    for (let at = 0; at < bytes.length && isTaken; at += size) {
      isTaken = guard.takes(bytes.subarray(at, at + size));
    }
    expect(isTaken).toBe(all.every((length) => length <= 200));
  });
  fc.assert(property);
});

test("The guard refuses a length of more than four bytes", () => {
  expect(new PacketGuard(2 ** 30).takes(Uint8Array.of(0x30, 0x80, 0x80, 0x80, 0x80))).toBe(false);
});
