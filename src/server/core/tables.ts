import { type Content, factsOf } from "./facts.ts";
import type { Fact } from "./replica/fact.ts";
import { services } from "./services.ts";
import type { ServiceTable } from "./serving/service.ts";

/** All that a server keeps and all that clients can ask of it: the one place that knows all modules. */
export interface Tables {
  facts(content: Content): Readonly<Record<string, Fact>>;
  readonly services: ServiceTable;
}

export const ownTables: Tables = { facts: factsOf, services };
