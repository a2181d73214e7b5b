import { type AccountData, accountFacts } from "./accounts/account-facts.ts";
import type { Accounts } from "./accounts/accounts.ts";
import { type ChatData, chatFacts } from "./chat/chat-facts.ts";
import type { ChatState } from "./chat/chat-state.ts";
import { type CoordinatorData, coordinatorFacts } from "./coordinator/coordinator-facts.ts";
import type { CoordinatorTerms } from "./coordinator/coordinator-terms.ts";
import type { FactTable } from "./replica/fact.ts";

/** What an event of each operation carries: a new kind of fact is a row of its module's table. */
export interface EventData extends CoordinatorData, AccountData, ChatData {}

export type Operation = keyof EventData;

/** What the facts add up to. */
export interface Content {
  readonly terms: CoordinatorTerms;
  readonly accounts: Accounts;
  readonly chat: ChatState;
}

export function factsOf({ terms, accounts, chat }: Content): FactTable<EventData> {
  return { ...coordinatorFacts(terms), ...accountFacts(accounts), ...chatFacts(chat) };
}
