import type { Mutation } from "./mutations.ts";

const log = "server/core/decisions/decision-log.ts";
const decisions = "server/core/decisions/decisions.ts";
const facts = "server/core/decisions/decision-facts.ts";
const reads = "server/core/decisions/reads-as-of-now.ts";
const operations = "server/core/accounts/account-operations.ts";
const shop = "server/core/shop/shop-operations.ts";
const registering = "server/core/accounts/registering.ts";

/** Mutations of the log of decisions: each breaks one sentence of D1 to D9. */
export const decisionMutations: readonly Mutation[] = [
  {
    name: "a new coordinator uses open slots for new operations",
    rule: "D3",
    edits: [
      {
        file: decisions,
        text: "if (slot <= this.#leftSlot) {",
        by: "if (slot <= 0 * this.#leftSlot) {",
      },
    ],
  },
  {
    name: "open slots are proposed again only at the beginning of a term",
    rule: "D3",
    edits: [
      { file: decisions, text: "  #checkedMs = 0;", by: "  #checkedMs = 0;\n  #leftThen = 0;" },
      {
        file: decisions,
        text: "    this.#unsettled = [];\n    this.#forwards.clear();",
        by: "    this.#unsettled = [];\n    this.#leftThen = this.#leftSlot;\n    this.#forwards.clear();",
      },
      {
        file: decisions,
        text: "if (slot <= this.#leftSlot) {",
        by: "if (slot <= Math.min(this.#leftThen, this.#leftSlot)) {",
      },
      {
        file: decisions,
        text: "        if (this.#waiting.size === 0 ||",
        by: "        if (log.standing(slot, epoch) !== undefined) return;\n        if (this.#waiting.size === 0 ||",
      },
    ],
  },
  {
    name: "the decision of the lowest epoch is proposed again",
    rule: "D2",
    edits: [{ file: log, text: "?.findLast(below);", by: "?.find(below);" }],
  },
  {
    name: "a decision is proposed again with other content",
    rule: "D3",
    edits: [
      { file: decisions, text: "ops: left?.ops ?? [] }", by: "ops: (left?.ops ?? []).slice(1) }" },
    ],
  },
  {
    name: "decisions are applied before they are settled",
    rule: "D5",
    edits: [
      {
        file: log,
        text: "(this.#marks.get(writeEpoch(epoch))?.upTo ?? 0) >= slot;",
        by: "(this.#marks.get(writeEpoch(epoch))?.upTo ?? slot) >= slot;",
      },
    ],
  },
  {
    name: "a mark settles the decisions of any epoch",
    rule: "D4",
    edits: [
      {
        file: log,
        text: "const isSettled = ({ epoch }: Decision) =>\n      (this.#marks.get(writeEpoch(epoch))?.upTo ?? 0) >= slot;",
        by: "const isSettled = () => [...this.#marks.values()].some(({ upTo }) => upTo >= slot);",
      },
    ],
  },
  {
    name: "a mark waits for the next operation",
    rule: "D4",
    edits: [
      {
        file: decisions,
        text: "if (upTo === undefined) return;",
        by: "if (upTo === undefined || this.#waiting.size === 0) return;",
      },
    ],
  },
  {
    name: "a saved state forgets open decisions",
    rule: "D6",
    edits: [
      { file: facts, text: "const open = log.open();", by: "const open = log.open().slice(1);" },
    ],
  },
  {
    name: "a fetched state takes the place of what is open",
    rule: "D6",
    edits: [
      {
        file: log,
        text: "    this.#remembered.clear();\n    return true;",
        by: "    this.#remembered.clear();\n    this.#open.clear();\n    this.#marks.clear();\n    return true;",
      },
    ],
  },
  {
    name: "late decisions of applied slots are kept",
    rule: "D6",
    edits: [{ file: log, text: "    if (slot <= this.applied) return;\n", by: "" }],
  },
  {
    name: "ids are forgotten without a floor",
    rule: "D9",
    edits: [{ file: log, text: "if (since < floor)", by: "if (since < 0 * floor)" }],
  },
  {
    name: "a read as of now asks nobody",
    rule: "D8",
    edits: [
      {
        file: reads,
        text: "round.answered.size >= quorumOf(view)) {",
        by: "round.answered.size <= 2 * quorumOf(view)) {",
      },
    ],
  },
  {
    name: "an account is made beside one whose name looks the same",
    rule: "D5",
    edits: [
      {
        file: operations,
        text: '  if (accounts.ownerWith(looks) !== undefined) return "name_confusable";\n',
        by: "",
      },
    ],
  },
  {
    name: "the id of a request is enough to have made the account",
    rule: "D5",
    edits: [
      {
        file: registering,
        text: "return isRight ? told(decided)",
        by: "return isRight !== undefined ? told(decided)",
      },
    ],
  },
  {
    name: "an accepted offer does not look at the owners again",
    rule: "D5",
    edits: [
      {
        file: shop,
        text: 'if (!own(shop, giver, give) || !own(shop, to, want)) return "card_not_owned";',
        by: "",
      },
    ],
  },
  {
    name: "an offer is open for ever",
    rule: "D5",
    edits: [{ file: shop, text: "      shop.removeTrade(trade);\n", by: "" }],
  },
  {
    name: "a pack may be bought without coins",
    rule: "D5",
    edits: [
      {
        file: shop,
        text: 'if (shop.coins(by) < packs[pack].price) return "too_few_coins";',
        by: "",
      },
    ],
  },
];
