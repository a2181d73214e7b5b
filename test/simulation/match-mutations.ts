import type { Mutation } from "./mutations.ts";

const commit = "game/core/two-phase-commit.ts";
const shadow = "game/core/shadow.ts";
const holdings = "game/core/holdings.ts";
const copy = "game/core/match-copy.ts";
const events = "game/core/match-event.ts";
const invitations = "game/core/invitations.ts";
const desk = "game/core/desk.ts";

/** Mutations of the commits of a match. */
const commitMutations: readonly Mutation[] = [
  {
    name: "players are told before the shadow has it",
    rule: "M1",
    edits: [
      {
        file: commit,
        text: "term.shadow === undefined ? durable : Math.min(durable, this.#copied ?? 0);",
        by: "term.shadow === undefined ? durable : Math.max(durable, this.#copied ?? 0);",
      },
    ],
  },
  {
    name: "a commit of a lower term is accepted",
    rule: "M5",
    // Three checks look at the term, each of which would be enough here.
    edits: [
      {
        file: holdings,
        text: "if (term === copy.term.term && from === copy.term.host) return true;",
        by: "if (term <= copy.term.term && from === copy.term.host) return true;",
      },
      {
        file: shadow,
        text: "if (this.#copy.termOfLog !== term) return",
        by: "if (this.#copy.termOfLog < term) return",
      },
      { file: shadow, text: "prepared?.term === term && prepared.round", by: "prepared?.round" },
      {
        file: shadow,
        text: "(event) => event.term !== term || event.timestamp !== time",
        by: "(event) => event.timestamp !== time",
      },
    ],
  },
  {
    name: "the shadow takes a commit that it has not checked",
    rule: "M5",
    edits: [
      {
        file: shadow,
        text: "if (prepared?.isChecked !== true)",
        by: "if (prepared === undefined)",
      },
    ],
  },
  {
    name: "the shadow takes a commit that is not the outcome of the proposal",
    rule: "M5",
    edits: [
      { file: shadow, text: "|| !this.#isOwnOutcome(prepared, events)", by: "" },
      { file: shadow, text: "  #isOwnOutcome(", by: "  isOwnOutcome(" },
    ],
  },
  {
    name: "a log is adopted that the rules could not have made",
    rule: "M5",
    edits: [
      {
        file: "game/core/lawful.ts",
        text: "return !isBroken && isLawful(events);",
        by: "return !isBroken && (isLawful(events) || events.length > 1);",
      },
    ],
  },
  {
    name: "the shadow forgets a rollback",
    rule: "M3",
    edits: [
      {
        file: shadow,
        text: "if (this.#prepared?.round === round) this.#prepared = undefined;",
        by: "",
      },
    ],
  },
  {
    name: "a signature without the signature before it",
    rule: "M5",
    edits: [
      {
        file: events,
        text: "const signature = signer.sign(event.matchId, signedText(event, previous));",
        by: 'const signature = signer.sign(event.matchId, signedText(event, previous && ""));',
      },
      {
        file: events,
        text: "const text = signedText(event, before);",
        by: 'const text = signedText(event, before && "");',
      },
    ],
  },
  {
    name: "a refused action takes effect when a copy of it comes",
    rule: "M3",
    edits: [
      {
        file: commit,
        text: "if (refused !== undefined) return waiter?.settle({ refused });",
        by: "",
      },
    ],
  },
  {
    name: "an action is refused by events that the shadow may not have",
    rule: "M1",
    edits: [
      {
        file: commit,
        text: "isRefused && after.length > this.#agreed",
        by: "isRefused && after.length < 0",
      },
    ],
  },
  {
    name: "the actions of a proposal that ends without an outcome are forgotten",
    rule: "M3",
    edits: [{ file: commit, text: "    this.#queue.unshift(...undone);\n", by: "" }],
  },
];

/** Mutations of terms, of failover and of the beginning of a match. */
const termMutations: readonly Mutation[] = [
  {
    name: "a shadow takes over by time-out alone",
    rule: "M3",
    edits: [
      {
        file: holdings,
        text: 'this.#parts.emit({ type: "decide", question: { service: "matchTerm", match, ...term } });',
        by: "if (match !== undefined) this.learn(holding, term, now);",
      },
    ],
  },
  {
    name: "a shadow with an older log takes over",
    rule: "M3",
    edits: [
      {
        file: "game/core/next-term.ts",
        text: "(termOfLog >= term.term - 1 && durable === length);",
        by: "(termOfLog >= 0 && durable <= length);",
      },
    ],
  },
  {
    name: "a shorter log that comes late takes the place of a longer one",
    rule: "M5",
    edits: [
      {
        file: shadow,
        text: "copy.termOfLog === term.term && events.length <= copy.length;",
        by: "copy.termOfLog === term.term && events.length === copy.length;",
      },
    ],
  },
  {
    name: "the log of the disk is given up for one of a lower term",
    rule: "M5",
    edits: [
      {
        file: holdings,
        text: "if (recovered.has(match)) return;",
        by: "if (recovered.delete(match)) return this.#take(message, now);",
      },
    ],
  },
  {
    name: "a server takes a match that it does not know in a term that has passed",
    rule: "M1",
    test: "takes no log of a term that has passed, although it was the shadow, and has dropped its copy",
    edits: [
      {
        file: holdings,
        text: "else this.#unproven.ask(message);",
        by: "else this.#take(message, now);",
      },
    ],
  },
  {
    name: "a list of matches that is older than a term ends a copy of that term",
    rule: "M1",
    test: "does not make a shadow forget a log that it has just got",
    edits: [{ file: holdings, text: "    holding.sinceMs = now.steadyMs;\n", by: "" }],
  },
  {
    name: "a host that was replaced still counts what its disk writes",
    rule: "M4",
    test: "does not end the match, although an end that it alone has gets onto its disk",
    edits: [{ file: commit, text: "    if (this.#hasEnded) return;\n", by: "" }],
  },
  {
    name: "an operation is forgotten at a failover",
    rule: "M3",
    edits: [
      {
        file: copy,
        text: "(event) => event.operation === operation)?.eventSeq",
        by: "(event) => event.operation === operation && event.term === this.term.term)?.eventSeq",
      },
    ],
  },
  {
    name: "a former host refuses for the next one",
    rule: "M3",
    test: "refuses nothing that the next host has taken",
    edits: [
      {
        file: desk,
        text: 'const isLast = pending.state === "sent" && pending.sentTo === from;',
        by: "const isLast = true;",
      },
    ],
  },
  {
    name: "a match begins before its log is on the shadow's disk",
    rule: "M1",
    edits: [
      {
        file: invitations,
        text: '    copy.save(() => {\n      invited.isStored = true;\n      if (this.#invited.get(match) === invited) answer("accepted");\n    });',
        by: '    copy.save(() => {});\n    invited.isStored = true;\n    answer("accepted");',
      },
    ],
  },
  {
    name: "servers that invite each other's players all decline",
    rule: "M7",
    edits: [
      {
        file: invitations,
        text: "if (from > this.#parts.self) return;",
        by: "if (from !== this.#parts.self) return;",
      },
    ],
  },
];

export const matchMutations: readonly Mutation[] = [...commitMutations, ...termMutations];
