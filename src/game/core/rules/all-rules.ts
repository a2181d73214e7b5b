import type { RulesName } from "../../../protocol/matches.ts";
import { clash } from "./clash.ts";
import { duel } from "./duel.ts";
import type { Rules } from "./rules.ts";

/**
 * A caller must hand a state only to the rules that have made it. The compiler does not check this:
 * it lets a method have a narrower parameter than its interface, so the table needs no cast.
 */
const allRules: Readonly<Record<RulesName, Rules<unknown>>> = { clash, duel };

/** Returns the rules of a name, for callers to which a state is opaque. */
export function rulesOf(name: RulesName): Rules<unknown> {
  return allRules[name];
}
