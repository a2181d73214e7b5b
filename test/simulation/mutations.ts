import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

interface Edit {
  /** Below `src/`. */
  readonly file: string;
  /** Stands there exactly once, or the list is out of date. */
  readonly text: string;
  readonly by: string;
}

/** One safety rule, broken on purpose. */
export interface Mutation {
  readonly name: string;
  readonly rule: string;
  readonly edits: readonly Edit[];
  /** A seed by which the simulation catches it. */
  readonly seed: number;
}

const core = (file: string, text: string, by: string): Edit => {
  return { file: `server/core/${file}.ts`, text, by };
};
const registry = (text: string, by: string): Edit => {
  return { file: "reference/core/registry.ts", text, by };
};

export const mutations: readonly Mutation[] = [
  {
    name: "speak before the sync",
    rule: "R2",
    edits: [core("ledger", "return { ...this.durable };", "return { ...this.held };")],
    seed: 1,
  },
  {
    name: "no sync after a restart",
    rule: "R2",
    edits: [
      core("step", "#isRecovered = false;", "#isRecovered = true;"),
      core(
        "ledger",
        "recover(line: EventLine): void {\n    this.#take(line);",
        "recover(line: EventLine): void {\n    this.#take(line);\n    this.durable[line.event.server] = line.event.seq;",
      ),
    ],
    seed: 23,
  },
  {
    name: "count acks in a stale view",
    rule: "R3",
    edits: [
      core(
        "replication",
        "if (this.adopting !== undefined || this.view.members.length === 0) return false;",
        "if (this.view.members.length === 0) return false;",
      ),
    ],
    seed: 101,
  },
  {
    name: "sync counted without its view",
    rule: "R3",
    edits: [
      core(
        "step",
        "        this.#hear(input.request, now);",
        "        this.catchUp.hear(this.replication.hear(input.request, now.steadyMs));",
      ),
      core(
        "step",
        "    this.#hear(answer, now);\n",
        "    this.catchUp.hear(this.replication.hear(answer, now.steadyMs));\n",
      ),
    ],
    seed: 421,
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
    seed: 2,
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
    seed: 2,
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
    seed: 2,
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
    seed: 6,
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
    seed: 21,
  },
  {
    name: "a non-member counts its own disk",
    rule: "R3",
    edits: [
      core(
        "replication",
        "const seqs = this.view.members.map((member) => this.durableOf(member)[server] ?? 0);",
        "const seqs = [...new Set([...this.view.members, this.#name])].map((member) => this.durableOf(member)[server] ?? 0);",
      ),
    ],
    seed: 21,
  },
  {
    name: "a receipt for a twin before it is committed",
    rule: "R6",
    edits: [
      core(
        "handle-request",
        "if (old !== undefined) return commit(services, request, { event: old, made: false });",
        'if (old !== undefined) {\n    const decision = commit(services, request, { event: old, made: false });\n    return decision.next === "commit" ? { next: "answer", answer: decision.answer() } : decision;\n  }',
      ),
    ],
    seed: 21,
  },
  {
    name: "the fold drops twins",
    rule: "R4",
    edits: [
      core(
        "window",
        "  add(entry: T): T[] {\n",
        "  add(entry: T): T[] {\n    if (this.twins(entry).length > 0) return [];\n",
      ),
      core("chat-state", "    own.push(message);\n", ""),
      core(
        "chat-state",
        "    for (const dropped of this.window.add(message))",
        "    const dropped = this.window.add(message);\n    if (this.window.holds(message) || dropped.includes(message)) own.push(message);\n    for (const { server } of dropped) this.byServer.get(server)?.shift();\n    for (const dropped of [] as StoredMessage[])",
      ),
    ],
    seed: 21,
  },
  {
    name: "the older reading of the retention rule",
    rule: "R4",
    edits: [
      core(
        "window",
        "      if (this.#distinct === this.#most && isLastOfItsRequest) break;",
        "      if (this.#distinct === this.#most) break;",
      ),
    ],
    seed: 5,
  },
  {
    name: "skip the gap check",
    rule: "R1",
    // The chain and an assertion stand behind it: they go too.
    edits: [
      core("ledger", 'if (seq > held + 1) return { outcome: "gap" };', ""),
      core(
        "ledger",
        "if (!follows(line, this.#chainOf(server), this.#digest)) {",
        "if (!follows) {",
      ),
      core(
        "ledger",
        'assert(seq === (this.held[server] ?? 0) + 1, "an event must follow the one before it (R1)");',
        "",
      ),
    ],
    seed: 22,
  },
  {
    name: "publish before commit",
    rule: "P5",
    edits: [
      core(
        "outbox",
        "publish(committed: Vector): Effect[] {\n    const done = committed[this.#name] ?? 0;",
        "publish(_committed: Vector): Effect[] {\n    const done = Number.POSITIVE_INFINITY;",
      ),
    ],
    seed: 1,
  },
  {
    name: "a snapshot from a moving state",
    rule: "R4",
    edits: [
      core(
        "window",
        "  slice(): T[] {\n    return this.#items.slice(this.#head) as T[];",
        "  slice(): T[] {\n    return this.#items as T[];",
      ),
    ],
    seed: 21,
  },
  {
    name: "a view spoken of before it is saved",
    rule: "R2",
    edits: [
      core(
        "replication",
        "this.adopting = view;\n    return true;",
        "this.view = view;\n    return true;",
      ),
    ],
    seed: 21,
  },
  {
    name: "a read that does not wait for what its client has seen",
    rule: "R9",
    edits: [core("handle-request", "if (!covers(committed, target)) {", "if (false) {")],
    seed: 1,
  },
  {
    name: "a server counts what it does not hold",
    rule: "R9",
    edits: [
      core(
        "replication",
        "const seq = Math.min(seqs[quorum - 1] ?? 0, this.#ledger.durable[server] ?? 0);",
        "const seq = seqs[quorum - 1] ?? 0;",
      ),
    ],
    seed: 28,
  },
  {
    name: "a clock that does not follow what it hears",
    rule: "R7",
    edits: [
      {
        file: "protocol/lamport-clock.ts",
        text: "this.#value = Math.max(this.#value, clock) + 1;",
        by: "this.#value += clock > this.#value ? 2 : 1;",
      },
    ],
    seed: 1,
  },
  {
    name: "a time that runs backwards",
    rule: "E5",
    edits: [
      core(
        "ledger",
        "timestamp: Math.max(this.heldTimes[this.#name] ?? 0, wallMs),",
        "timestamp: wallMs,",
      ),
    ],
    seed: 30,
  },
  {
    name: "a saved state folds in what the replica has already",
    rule: "R4",
    edits: [
      core(
        "files",
        "const isNew = (placed: Placed) => !isCommitted(placed, held);",
        "const isNew = () => true;",
      ),
    ],
    seed: 2,
  },
  {
    name: "a server that speaks before its repair",
    rule: "J5",
    edits: [
      core(
        "step",
        'if (this.#owes) return;\n    this.#effects.push({ type: "broadcast", message });',
        'this.#effects.push({ type: "broadcast", message });',
      ),
    ],
    seed: 3,
  },
  {
    name: "a report from before the disk rotted counts on",
    rule: "J5",
    edits: [registry("      this.#reports.delete(user);\n      return;", "      return;")],
    seed: 2244,
  },
  {
    name: "a reference judges by a view before all have reported",
    rule: "R5",
    edits: [registry("    if (this.#isListening(steadyMs)) return false;\n", "")],
    seed: 16361,
  },
];

const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * A copy of the code with the mutation in it, inside the project so that packages are found.
 * @returns the copy's worker
 * @throws Error if a text to replace is not there exactly once
 */
export function plant({ name, edits }: Mutation): { program: string } & Disposable {
  const folder = join(root, ".mutants", `${name.replace(/[^a-z]+/g, "-")}-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  for (const part of ["src", "test/support", "test/simulation", "package.json"]) {
    cpSync(join(root, part), join(folder, part), { recursive: true });
  }
  for (const { file, text, by } of edits) {
    const path = join(folder, "src", file);
    const source = readFileSync(path, "utf8");
    const parts = source.split(text);
    if (parts.length !== 2) {
      throw new Error(`${name}: in ${file} this stands ${parts.length - 1} times: ${text}`);
    }
    writeFileSync(path, parts.join(by));
  }
  return {
    program: join(folder, "test/simulation/worker.ts"),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
