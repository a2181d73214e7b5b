import type { Service } from "../../protocol/client-messages.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { object } from "../../protocol/fields.ts";
import { limits } from "../../protocol/limits.ts";
import { eventId, isLoopbackAddress } from "../../protocol/request-fields.ts";
import { isoTime } from "../../protocol/time.ts";
import { accountServices } from "./accounts/account-services.ts";
import { hookServices } from "./chat/hook-services.ts";
import { readServices } from "./chat/read-services.ts";
import { searchServices } from "./chat/search-service.ts";
import { writeServices } from "./chat/write-services.ts";
import { type Content, factsOf } from "./facts.ts";
import { matchServices } from "./matches/match-services.ts";
import type { Fact } from "./replica/fact.ts";
import { charge, full, refuse } from "./serving/decision.ts";
import type { ServiceRows, ServiceTable } from "./serving/service.ts";
import { shopServices } from "./shop/shop-services.ts";

/** All services. A new service is a new row in the table of its module. */
export const services: ServiceRows<Service> = {
  ...accountServices,
  ...readServices,
  ...searchServices,
  ...writeServices,
  ...hookServices,
  ...shopServices,
  ...matchServices,
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
  trace: {
    parse: object({ of: eventId }),
    for: "administrators",
    cost: limits.traceCost,
    decide: (parts, { of, via }, { room }) => {
      // In an open cluster anybody may ask a server, but a gateway may be open to the whole internet.
      if (parts.auth === "open" && via !== undefined && !isLoopbackAddress(via)) {
        return refuse(new ProtocolError("forbidden", traceForbidden));
      }
      const members = Math.max(1, parts.replication.view.members.length);
      if (!charge(room, limits.traceMemberBytes * members)) return full();
      return { next: "trace", of };
    },
  },
};

const traceForbidden =
  "In a cluster without accounts, a gateway tells steps only to people on its own machine.";

export interface Tables {
  facts(content: Content): Readonly<Record<string, Fact>>;
  readonly services: ServiceTable;
}

export const ownTables: Tables = { facts: factsOf, services };
