import type { Mutation } from "./mutations.ts";

const log = "server/core/decisions/decision-log.ts";
const decisions = "server/core/decisions/decisions.ts";
const operations = "server/core/accounts/account-operations.ts";

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
    name: "open slots are proposed anew on taking office only",
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
    name: "a decision is proposed anew with other content",
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
    name: "late decisions of applied slots are kept",
    rule: "D6",
    edits: [{ file: log, text: "    if (slot <= this.applied) return;\n", by: "" }],
  },
  {
    name: "an account is made beside one whose name looks the same",
    rule: "E3",
    edits: [
      {
        file: operations,
        text: '  if (accounts.ownerWith(looks) !== undefined) return "name_confusable";\n',
        by: "",
      },
    ],
  },
];
