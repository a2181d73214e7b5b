import type { Service } from "../../protocol/client-messages.ts";
import { limits } from "../../protocol/limits.ts";
import { isoTime } from "../../protocol/time.ts";
import { accountServices } from "./accounts/account-services.ts";
import { readServices } from "./chat/read-services.ts";
import { writeServices } from "./chat/write-services.ts";
import { type Content, factsOf } from "./facts.ts";
import type { Fact } from "./replica/fact.ts";
import { charge, full } from "./serving/decision.ts";
import type { ServiceRows, ServiceTable } from "./serving/service.ts";

/** All services. A new service is a new row in the table of its module. */
export const services: ServiceRows<Service> = {
  ...accountServices,
  ...readServices,
  ...writeServices,
  time: {
    parse: () => ({}),
    for: "anybody",
    decide: (parts, _request, { now }) => {
      return { next: "answer", answer: { time: isoTime(parts.correctedMs(now)) } };
    },
  },
  status: {
    parse: () => ({}),
    for: "anybody",
    isAlwaysServed: true,
    decide: (parts, _request, { now, room }) => {
      // All requests of a payload share one status, but each reply is charged, because each reply
      // is sent in full.
      room.status ??= parts.status(now);
      const rows = room.status.members.length + room.status.processes.length;
      if (!charge(room, limits.statusRowBytes * (1 + rows))) return full();
      return { next: "answer", answer: room.status };
    },
  },
};

export interface Tables {
  facts(content: Content): Readonly<Record<string, Fact>>;
  readonly services: ServiceTable;
}

export const ownTables: Tables = { facts: factsOf, services };
