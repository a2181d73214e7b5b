import { type AccountData, accountFacts } from "./accounts/account-facts.ts";
import type { Accounts } from "./accounts/accounts.ts";
import { type ChatData, chatFacts } from "./chat/chat-facts.ts";
import type { ChatState } from "./chat/chat-state.ts";
import { type CoordinatorData, coordinatorFacts } from "./coordinator/coordinator-facts.ts";
import type { CoordinatorTerms } from "./coordinator/coordinator-terms.ts";
import type { FactTable } from "./replica/fact.ts";

/**
 * For each operation, the data of its events. To add an operation, add a row to the table of its
 * module.
 */
export interface EventData extends CoordinatorData, AccountData, ChatData {}

export type Operation = keyof EventData;

/** The state to which the facts add events. */
export interface Content {
  readonly terms: CoordinatorTerms;
  readonly accounts: Accounts;
  readonly chat: ChatState;
}

export function factsOf({ terms, accounts, chat }: Content): FactTable<EventData> {
  return { ...coordinatorFacts(terms), ...accountFacts(accounts), ...chatFacts(chat) };
}
