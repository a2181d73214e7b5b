import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { decisionMutations } from "./decision-mutations.ts";
import { matchMutations } from "./match-mutations.ts";
import type { WorldName } from "./worlds.ts";

export interface Edit {
  /** The path below `src/`. */
  readonly file: string;
  /** The code to replace, which must be in the file exactly once. */
  readonly text: string;
  readonly by: string;
}

/** A safety rule that is broken on purpose. */
export interface Mutation {
  readonly name: string;
  readonly rule: string;
  readonly edits: readonly Edit[];
  /**
   * A test in `test/game/core/hosting.test.ts`, by its title, that finds the mutation. For mutations that
   * show in one of ten thousand random runs only.
   */
  readonly test?: string | undefined;
}

const seedsPath = fileURLToPath(new URL("mutation-seeds.json", import.meta.url));

/**
 * For each mutation by name, a seed with which the simulation finds it. A change of the core
 * usually changes the runs of all seeds; `npm run sim -- --hunt` then looks for new seeds.
 */
export const mutationSeeds: Record<string, number> = JSON.parse(readFileSync(seedsPath, "utf8"));

export function saveMutationSeeds(): void {
  writeFileSync(seedsPath, `${JSON.stringify(mutationSeeds, null, 2)}\n`);
}

const core = (file: string, text: string, by: string): Edit => {
  return { file: `server/core/${file}.ts`, text, by };
};
const shell = (text: string, by: string): Edit => {
  return { file: "server/shell.ts", text, by };
};
const registry = (text: string, by: string): Edit => {
  return { file: "reference/core/registry.ts", text, by };
};

/** Mutations of the coordinator: each breaks one sentence of E2 or D1. */
const coordinatorMutations: readonly Mutation[] = [
  {
    name: "a promise that isn't durable",
    rule: "R2",
    edits: [
      core(
        "coordinator/acceptor",
        "    this.promised = ballot;\n    this.#replica",
        "    this.promised = ballot;\n    this.#saved = ballot;\n    this.#replica",
      ),
    ],
  },
  {
    name: "an equal epoch promised to two candidates",
    rule: "E2",
    edits: [
      core(
        "coordinator/acceptor",
        '    if (!isSameBallot(this.promised, ballot)) return "refuse";\n    if (!isSameBallot(this.#saved, ballot)) return "wait";',
        '    if (compareEpochs(this.promised.epoch, ballot.epoch) !== 0) return "refuse";\n    if (compareEpochs(this.#saved.epoch, ballot.epoch) !== 0) return "wait";',
      ),
    ],
  },
  {
    name: "epochs without the view number",
    rule: "E2",
    // Only terms are compared, so no server can see that a coordinator belongs to an older view.
    edits: [
      {
        file: "protocol/epoch.ts",
        text: "return a.view - b.view || a.term - b.term;",
        by: "return a.term - b.term;",
      },
      core(
        "coordinator/acceptor",
        'if (epoch.view < (adopting ?? view).number) return "refuse";',
        "",
      ),
      core(
        "coordinator/acceptor",
        'if (adopting !== undefined || epoch.view > view.number) return "wait";',
        'if (adopting !== undefined) return "wait";',
      ),
      core(
        "coordinator/acceptor",
        "const isInView = adopting === undefined && view.number === ballot.epoch.view;",
        "const isInView = adopting === undefined;",
      ),
      core(
        "coordinator/election",
        "const isOldView = (replication.adopting ?? replication.view).number > view.number;",
        "const isOldView = replication.view.number < 0;",
      ),
    ],
  },
  {
    name: "accept below the promised epoch",
    rule: "E2",
    edits: [
      core(
        "coordinator/acceptor",
        "    this.raise(ballot);\n    if",
        '    if (request.service === "accept") return this.#hasOnDisk(request) ? "grant" : "wait";\n    this.raise(ballot);\n    if',
      ),
      // The answer names the higher promise, a second safeguard, so that safeguard is removed too.
      core(
        "coordinator/election",
        'if (verdict !== undefined && "promised" in verdict) this',
        'if (verdict !== undefined && "promised" in verdict && !verdict.isGranted) this',
      ),
    ],
  },
  {
    name: "the fence checked at receipt instead of at sending",
    rule: "E2",
    edits: [
      core(
        "coordinator/acceptor",
        "interface PendingGrant {",
        "const passed = new WeakSet<object>();\n\ninterface PendingGrant {",
      ),
      core(
        "coordinator/acceptor",
        "    const untilMs = now.steadyMs + durations.peerRequestMs;",
        "    if (compareEpochs(request.epoch, this.promised.epoch) >= 0) passed.add(request);\n    const untilMs = now.steadyMs + durations.peerRequestMs;",
      ),
      core(
        "coordinator/acceptor",
        '    if (!isSameBallot(this.promised, ballot)) return "refuse";\n    if (!isSameBallot(this.#saved, ballot)) return "wait";',
        '    if (!passed.has(request)) return "refuse";\n    if (isSameBallot(this.promised, ballot) && !isSameBallot(this.#saved, ballot)) return "wait";',
      ),
      // The answer names the higher promise, a second safeguard, so that safeguard is removed too.
      core(
        "coordinator/election",
        'if (verdict !== undefined && "promised" in verdict) this',
        'if (verdict !== undefined && "promised" in verdict && !verdict.isGranted) this',
      ),
    ],
  },
  {
    name: "the coordinator's own accept unfenced",
    rule: "D1",
    edits: [
      core(
        "coordinator/candidacy",
        "const own = acceptor.holds(this.ballot) ? (ledger.durable[name] ?? 0) : 0;",
        "const own = acceptor === undefined ? 0 : (ledger.durable[name] ?? 0);",
      ),
      core("coordinator/election", "    this.#see(acceptor.promised.epoch);\n", ""),
      // The other coordinator's `coordinator` event shows its epoch, a second safeguard, which is
      // removed too.
      core("coordinator/election", "    this.#see(terms.highestEpoch);\n", ""),
      // A refusal names the higher promise, a second safeguard, which is removed too.
      core(
        "coordinator/election",
        'if (verdict !== undefined && "promised" in verdict) this',
        'if (verdict !== undefined && "promised" in verdict && verdict.service === "candidate") this',
      ),
    ],
  },
  {
    name: "durable acks taken for accepts",
    rule: "D1",
    edits: [
      core(
        "coordinator/candidacy",
        "const seqs = this.view.members.map((member) => this.#acceptedBy.get(member) ?? 0);",
        "const seqs = this.view.members.map((member) => Math.min(this.#wanted, this.#parts.replica.replication.durableOf(member)[name] ?? 0));",
      ),
      // A refusal names the higher promise, a second safeguard, which is removed too.
      core(
        "coordinator/election",
        'if (verdict !== undefined && "promised" in verdict) this',
        'if (verdict !== undefined && "promised" in verdict && verdict.service === "candidate") this',
      ),
    ],
  },
  {
    name: "skip the fetch before the term",
    rule: "E2",
    edits: [
      core(
        "coordinator/candidacy",
        "if (covers(ledger.durable, this.#needed)) this.#begin(now);",
        "this.#begin(now);",
      ),
    ],
  },
];

/** Mutations of the shell, which reports a save to the core before the save is on disk. */
const shellMutations: readonly Mutation[] = [
  {
    name: "a view taken for saved as soon as that is asked for",
    rule: "R2",
    edits: [
      shell(
        'return store.saveView(view, () => {\n          this.dispatch({ type: "viewSaved", number: view.number });\n        });',
        'store.saveView(view, () => {});\n        return this.dispatch({ type: "viewSaved", number: view.number });',
      ),
    ],
  },
  {
    name: "a promise taken for saved as soon as that is asked for",
    rule: "R2",
    edits: [
      shell(
        'return store.savePromise(ballot, () => this.dispatch({ type: "promiseSaved", ballot }));',
        'store.savePromise(ballot, () => {});\n        return this.dispatch({ type: "promiseSaved", ballot });',
      ),
    ],
  },
];

const clusterMutations: readonly Mutation[] = [
  ...decisionMutations,
  ...coordinatorMutations,
  ...shellMutations,
  {
    name: "speak before the sync",
    rule: "R2",
    edits: [core("replica/ledger", "return { ...this.durable };", "return { ...this.held };")],
  },
  {
    name: "no sync after a restart",
    rule: "R2",
    // The store, not the core, follows this rule, so the mutation changes the simulation's own
    // store.
    edits: [
      {
        file: "../test/support/virtual-store.ts",
        text: "      disk.sync(disk.lines.length, server.clock.value);\n      disk.isFlushing",
        by: "      disk.isFlushing",
      },
    ],
  },
  {
    name: "count acks in a stale view",
    rule: "R3",
    edits: [
      core(
        "replica/replication",
        "if (this.adopting !== undefined || this.view.members.length === 0) return false;",
        "if (this.view.members.length === 0) return false;",
      ),
    ],
  },
  {
    name: "sync counted without its view",
    rule: "R3",
    edits: [
      core(
        "replica/replica",
        "    this.hear(request, now);\n    if (this.missesEvents) return;",
        "    this.catchUp.hear(this.replication.hear(request, now.steadyMs));\n    if (this.missesEvents) return;",
      ),
      core(
        "replica/replica",
        "    this.hear(answer, now);\n",
        "    this.catchUp.hear(this.replication.hear(answer, now.steadyMs));\n",
      ),
    ],
  },
  {
    name: "the next view without rule (a)",
    rule: "R5",
    edits: [
      registry(
        "return complete.length >= quorumOf(this.#view);",
        "return complete.length === adopters.length && adopters.length > 0;",
      ),
    ],
  },
  {
    name: "the next view without rule (b)",
    rule: "R5",
    edits: [
      registry(
        "return complete.length >= quorumOf(this.#view);",
        "return adopters.length >= quorumOf(this.#view);",
      ),
    ],
  },
  {
    name: "rule (b) by the vector from before the adoption",
    rule: "R5",
    edits: [
      registry(
        ": { view: view.number, durable };",
        ": { view: view.number, durable: this.#reports.get(user)?.durable ?? emptyVector };",
      ),
    ],
  },
  {
    name: "two members changed at once",
    rule: "R5",
    edits: [
      registry(
        "const [next] = this.#ready(steadyMs).filter((name) => !members.includes(name));\n    if (next !== undefined) this.#replaceMembers([...members, next].sort());",
        "const next = this.#ready(steadyMs).filter((name) => !members.includes(name));\n    if (next.length > 0) this.#replaceMembers([...members, ...next].sort());",
      ),
    ],
  },
  {
    name: "a leaver that exits before the view without it is settled",
    rule: "R11",
    edits: [
      registry(
        "return !this.#view.members.includes(name) && this.#isSettled(steadyMs);",
        "return !this.#view.members.includes(name);",
      ),
    ],
  },
  {
    name: "a non-member counts its own disk",
    rule: "R3",
    edits: [
      core(
        "replica/replication",
        "const seqs = this.view.members.map((member) => this.durableOf(member)[server] ?? 0);",
        "const seqs = [...new Set([...this.view.members, this.#name])].map((member) => this.durableOf(member)[server] ?? 0);",
      ),
    ],
  },
  {
    name: "a receipt for a duplicate before it is committed",
    rule: "R6",
    edits: [
      core(
        "serving/write",
        "if (old !== undefined) return commit(services, old);",
        'if (old !== undefined) {\n    const decision = commit(services, old);\n    return decision.next === "commit" ? { next: "answer", answer: decision.answer() } : decision;\n  }',
      ),
    ],
  },
  {
    name: "another content acknowledged with the first one's receipt",
    rule: "R6",
    edits: [
      core(
        "chat/write-services",
        "find(services, request, (message) => message.text === request.message),",
        "find(services, request, () => true),",
      ),
    ],
  },
  {
    name: "of two contents under one id the earlier hides the later",
    rule: "R6",
    edits: [
      core(
        "chat/chat-state",
        "isDuplicate: (one, other) => one.text === other.text",
        "isDuplicate: () => true",
      ),
    ],
  },
  {
    name: "a copy of what another server made refused for its id",
    rule: "R6",
    edits: [
      core(
        "serving/write",
        "if (old !== undefined) return commit(services, old);",
        "if (old?.server === services.name) return commit(services, old);",
      ),
    ],
  },
  {
    name: "a restored state forgets what was dropped",
    rule: "R4",
    edits: [core("chat/chat-facts", 'find(name).noteDropped(parseVector(vector, "dropped"));', "")],
  },
  {
    name: "the fold drops duplicates",
    rule: "R4",
    edits: [
      core(
        "chat/window",
        "  add(entry: T): T[] {\n",
        "  add(entry: T): T[] {\n    if (this.duplicates(entry).length > 0) return [];\n",
      ),
      core("chat/chat-state", "    insert(own, message);\n", ""),
      core(
        "chat/chat-state",
        "    for (const { server, seq } of this.window.add(message)) {\n",
        "    const dropped = this.window.add(message);\n    if (this.window.holds(message) || dropped.includes(message)) insert(own, message);\n    for (const { server, seq } of dropped) {\n",
      ),
    ],
  },
  {
    name: "the older reading of the retention rule",
    rule: "R4",
    edits: [
      core(
        "chat/window",
        "      if (this.#distinct === this.#most && isLastOfItsRequest) break;",
        "      if (this.#distinct === this.#most) break;",
      ),
    ],
  },
  {
    name: "skip the gap check",
    rule: "R1",
    // The chain and an assertion are further safeguards of this rule, so they are removed too.
    edits: [
      core("replica/ledger", 'if (seq > held + 1) return { outcome: "gap" };', ""),
      core(
        "replica/ledger",
        "if (!follows(line, this.#chainOf(server), this.#digest)) {",
        "if (!follows) {",
      ),
      core(
        "replica/ledger",
        'assert(seq === (this.held[server] ?? 0) + 1, "an event must follow the one before it (R1)");',
        "",
      ),
    ],
  },
  {
    name: "publish before commit",
    rule: "P5",
    edits: [
      core(
        "chat/publications",
        "publish(committed: Vector, effects: Effects): void {\n    const done = committed[this.#name] ?? 0;",
        "publish(_committed: Vector, effects: Effects): void {\n    const done = Number.POSITIVE_INFINITY;",
      ),
    ],
  },
  {
    name: "a snapshot from a moving state",
    rule: "R4",
    edits: [
      core(
        "chat/window",
        "  slice(): T[] {\n    return this.#items.slice(this.#head) as T[];",
        "  slice(): T[] {\n    return this.#items as T[];",
      ),
    ],
  },
  {
    name: "a view spoken of before it is saved",
    rule: "R2",
    edits: [
      core(
        "replica/replication",
        "this.adopting = view;\n    return true;",
        "this.view = view;\n    return true;",
      ),
    ],
  },
  {
    name: "a read that does not wait for what its client has seen",
    rule: "R9",
    edits: [
      core(
        "chat/read-services",
        "return waits(services, request, at) ?? decide(",
        "return decide(",
      ),
    ],
  },
  {
    name: "a server counts what it does not hold",
    rule: "R9",
    edits: [
      core(
        "replica/replication",
        "const seq = Math.min(seqs[quorum - 1] ?? 0, this.#ledger.durable[server] ?? 0);",
        "const seq = seqs[quorum - 1] ?? 0;",
      ),
    ],
  },
  {
    name: "a clock that does not follow what it hears",
    rule: "R7",
    edits: [
      {
        file: "protocol/lamport-clock.ts",
        text: "this.#rise(Math.max(this.#value, clock) + 1);",
        by: "this.#rise(this.#value + (clock > this.#value ? 2 : 1));",
      },
    ],
  },
  {
    name: "a time that runs backwards",
    rule: "E5",
    edits: [
      core(
        "replica/ledger",
        "timestamp: Math.max(this.heldTimes[this.#name] ?? 0, wallMs),",
        "timestamp: wallMs,",
      ),
    ],
  },
  {
    name: "a saved state folds in what the replica has already",
    rule: "R4",
    edits: [
      core(
        "replica/fact",
        "if (!isCommitted(placed, held)) fact.fold(",
        "if (!isCommitted(placed, {})) fact.fold(",
      ),
    ],
  },
  {
    name: "a server that speaks before its repair",
    rule: "J5",
    edits: [
      core(
        "replica/replica",
        'if (!this.missesEvents) this.effects.add({ type: "broadcast", message });',
        'this.effects.add({ type: "broadcast", message });',
      ),
    ],
  },
];

/** Returns the mutations that the simulation of a world must find. */
export function mutationsOf(world: WorldName): readonly Mutation[] {
  const all: Readonly<Record<WorldName, readonly Mutation[]>> = {
    cluster: clusterMutations,
    matches: matchMutations,
  };
  return all[world];
}
