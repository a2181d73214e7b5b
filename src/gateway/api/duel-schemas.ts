import { Type } from "typebox";
import { packNames } from "../../protocol/cards.ts";
import { gameDurations, gameLimits } from "../../protocol/game-limits.ts";
import { rulesNames } from "../../protocol/matches.ts";
import { name } from "./route.ts";

export const rules = Type.Enum([...rulesNames]);
export const match = Type.String({ description: "The id of the match: 16 hex digits." });
export const eventSeq = Type.Integer({ description: "The number of an event of the match." });
const card = Type.String({ description: "The id of a card, such as `dragon-rare-7`." });
const seat = Type.Integer({ minimum: 0, maximum: 1, description: "A side: 0 or 1." });

/** Where a long poll goes on, and how long it may wait. */
export const pollQuery = Type.Object({
  match: Type.Optional(Type.String({ description: "The match that was seen last; none before." })),
  eventSeq: Type.Optional(Type.Integer({ description: "The last event that was seen." })),
  wait: Type.Optional(
    Type.Number({
      minimum: 0,
      maximum: gameDurations.lookMs / 1_000,
      description: "How many seconds to wait for news; 0 by default.",
    }),
  ),
});

export const action = Type.Object(
  {
    type: Type.Enum(["ready", "play", "counter", "pass", "giveUp"]),
    card: Type.Optional(card),
    cards: Type.Optional(
      Type.Array(card, {
        maxItems: gameLimits.deckCards,
        description: "For `ready`: the cards to play with; by default the deck, or the strongest.",
      }),
    ),
    pack: Type.Optional(
      Type.Enum([...packNames], { description: "For `ready`: buy this pack, and play with it." }),
    ),
  },
  { title: "Action", description: "`card` is for `play` and `counter`." },
);

const side = Type.Object({
  hand: Type.Optional(Type.Array(card, { description: "Only for the player of this side." })),
  handSize: Type.Integer(),
  deckSize: Type.Integer(),
  score: Type.Integer({ description: "Rounds won (clash) or life (duel)." }),
  points: Type.Optional(Type.Integer({ description: "What the player can pay with (duel)." })),
  table: Type.Optional(Type.String({ description: "The card on the table, or `hidden`." })),
});

const table = Type.Object({
  round: Type.Integer({ description: "Counted from 1." }),
  turn: Type.Array(seat, { description: "Whose move it is." }),
  deadlineMs: Type.Optional(Type.Integer({ description: "Milliseconds since 1970." })),
  sides: Type.Array(side, { description: "By seat." }),
});

const view = Type.Object({
  match,
  rules,
  players: Type.Array(Type.Object({ user: name, game: Type.String() })),
  seat: Type.Optional(seat),
  ready: Type.Array(Type.Boolean(), { description: "Who has chosen their cards, by seat." }),
  table: Type.Optional(table),
  prepareUntilMs: Type.Optional(
    Type.Integer({ description: "Until when both must have chosen their cards." }),
  ),
  over: Type.Optional(
    Type.Object({ winner: Type.Optional(seat), isVoid: Type.Optional(Type.Boolean()) }),
  ),
  seedHash: Type.String({ description: "The hash of the seed of all chance." }),
  seed: Type.Optional(Type.String({ description: "Told once the match is over." })),
  eventSeq,
});

const event = Type.Object({
  eventSeq,
  timestamp: Type.Integer({ description: "Milliseconds since 1970." }),
  type: Type.String(),
  data: Type.Object({}, { additionalProperties: true }),
});

export const look = Type.Object(
  {
    phase: Type.Enum(["idle", "waiting", "match"]),
    rules: Type.Optional(rules),
    waitedMs: Type.Optional(Type.Number({ description: "How long the user has waited." })),
    view: Type.Optional(view),
    events: Type.Optional(
      Type.Array(event, { description: "The events after the one that was seen, or the last." }),
    ),
  },
  {
    title: "Look",
    description: "`rules` and `waitedMs` are for `waiting`, and `view` and `events` for `match`.",
  },
);
