import { harmless } from "../../protocol/harmless.ts";
import type { Text } from "../../texts/texts.ts";
import type { StatusProblem, StatusWarning } from "./status-problems.ts";

export interface SentenceContext {
  readonly text: Text;
  /** Why no server answered, in the person's language; undefined if nobody knows. */
  readonly cause: string | undefined;
  /** Without a quorum, the reference removes no member. */
  readonly hasQuorum: boolean;
}

/** Says what is wrong, and then what a person can do. */
export function problemSentence(
  problem: StatusProblem,
  { text, cause, hasQuorum }: SentenceContext,
): string {
  switch (problem.kind) {
    case "noServer":
      return cause === undefined
        ? text("status.noServer")
        : text("status.noServerBecause", { cause: harmless(cause) });
    case "noQuorum":
      return text("status.noQuorum", { ...problem, count: problem.of });
    case "memberDown": {
      const name = harmless(problem.name);
      const place = problem.address === null ? "" : ` (${harmless(problem.address)})`;
      const key = hasQuorum ? "status.memberDown" : "status.memberDownNoQuorum";
      return text(key, { name, place });
    }
    case "brokersMissing":
    case "proxiesMissing":
      return text(`status.${problem.kind}`, { up: problem.up, of: problem.of });
    case "guestServers":
      return text("status.guestServers", { names: harmless(problem.names.join(", ")) });
    case "diskNearlyFull": {
      const free = Math.floor(problem.freeBytes / 1024 ** 2);
      return text("status.diskNearlyFull", { name: harmless(problem.name), free });
    }
    case "clockOff": {
      const seconds = Math.round(problem.ms / 1_000);
      return text("status.clockOff", { name: harmless(problem.name), seconds });
    }
    case "decisionsDiffer": {
      const names = harmless(problem.names.join(", "));
      return text("status.decisionsDiffer", { slot: problem.slot, names });
    }
    case "unknownOperation": {
      const operation = harmless(problem.operation);
      return text("status.unknownOperation", { name: harmless(problem.name), operation });
    }
    case "noCoordinator":
    case "noBroker":
    case "noProxy":
    case "noReference":
    case "foreignReference":
      return text(`status.${problem.kind}`);
    default:
      return problem satisfies never;
  }
}

export function warningSentence(warning: StatusWarning, text: Text): string {
  const name = "name" in warning ? harmless(warning.name) : "";
  switch (warning.kind) {
    case "disbelievedClocks":
      return text("status.disbelievedClocks", { name, count: warning.count });
    case "formerAccounts":
      return text("status.formerAccounts", { names: harmless(warning.names.join(", ")) });
    case "memberNotReady":
      return text("status.memberNotReady", { name, phase: harmless(warning.phase) });
    case "olderVersion": {
      const { version, newest } = warning;
      return version === null
        ? text("status.versionUnknown", { name, newest })
        : text("status.olderVersion", { name, version, newest });
    }
    case "severalSecrets": {
      const [used = "", ...others] = warning.secrets;
      return text("status.severalSecrets", { used, others: others.join(", ") });
    }
    case "secretsDiffer": {
      const groups = warning.groups.map(({ names, secrets }) => {
        return `${harmless(names.join(", "))}: ${secrets.join(" ")}`;
      });
      return text("status.secretsDiffer", { groups: groups.join("; ") });
    }
    default:
      return warning satisfies never;
  }
}
