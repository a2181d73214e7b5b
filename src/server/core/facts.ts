import type { Digest } from "../../protocol/event.ts";
import { type FormerData, formerFacts, savedAccounts } from "./accounts/account-facts.ts";
import { accountOperations, expiredOutcome } from "./accounts/account-operations.ts";
import { Accounts } from "./accounts/accounts.ts";
import { type ChatData, chatFacts } from "./chat/chat-facts.ts";
import { ChatState, type Retention } from "./chat/chat-state.ts";
import { type CoordinatorData, coordinatorFacts } from "./coordinator/coordinator-facts.ts";
import { CoordinatorTerms } from "./coordinator/coordinator-terms.ts";
import { type DecisionData, decidedPart, decisionFacts } from "./decisions/decision-facts.ts";
import { DecisionLog } from "./decisions/decision-log.ts";
import { savedMatches } from "./matches/match-facts.ts";
import { matchOperations } from "./matches/match-operations.ts";
import { Matches } from "./matches/matches.ts";
import { type Fact, Facts, type FactTable } from "./replica/fact.ts";
import { Shop } from "./shop/shop.ts";
import { savedShop } from "./shop/shop-facts.ts";
import { shopOperations } from "./shop/shop-operations.ts";

/**
 * For each operation, the data of its events. To add an operation, add a row to the table of its
 * module.
 */
export interface EventData extends CoordinatorData, DecisionData, ChatData {}

export type Operation = keyof EventData;

/** The state to which the facts add events. */
export interface Content {
  readonly terms: CoordinatorTerms;
  readonly log: DecisionLog;
  readonly accounts: Accounts;
  readonly shop: Shop;
  readonly matches: Matches;
  readonly chat: ChatState;
}

/** Makes the empty state of a server. */
export function newContent(digest: Digest, retention: Retention | undefined): Content {
  const accounts = new Accounts();
  const shop = new Shop();
  const matches = new Matches();
  return {
    terms: new CoordinatorTerms(),
    log: new DecisionLog({
      digest,
      kinds: operationsOf({ accounts, shop, matches }),
      expired: (operation) => expiredOutcome(accounts, operation),
    }),
    accounts,
    shop,
    matches,
    chat: new ChatState(retention),
  };
}

/** Returns, for each kind of operation, what applies it to this state. */
export function operationsOf({
  accounts,
  shop,
  matches,
}: Pick<Content, "accounts" | "shop" | "matches">) {
  return {
    ...accountOperations(accounts),
    ...shopOperations(shop, accounts),
    ...matchOperations(matches, accounts),
  } as const;
}

/** Makes what applies events to the state, saves the state and restores it. */
export function machineOf(
  facts: Readonly<Record<string, Fact>>,
  { log, accounts, shop, matches }: Content,
): Facts {
  const states = [savedAccounts(accounts), savedShop(shop), savedMatches(matches)];
  return new Facts(facts, decidedPart(log, states));
}

export function factsOf({
  terms,
  log,
  accounts,
  chat,
}: Content): FactTable<EventData & FormerData> {
  return {
    ...coordinatorFacts(terms),
    ...decisionFacts(log),
    ...formerFacts(accounts),
    ...chatFacts(chat),
  };
}
