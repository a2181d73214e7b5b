import type { Service } from "../../protocol/client-messages.ts";
import type { Fields } from "../../protocol/fields.ts";
import { services } from "../core/services.ts";
import type { ServiceRows, ServiceTable } from "../core/serving/service.ts";
import { mostNames } from "./needs.ts";

const { users, channels } = services;

/** The services of servers with an engine: those of a replica, with shorter lists. */
export const engineServices: ServiceRows<Service> = {
  ...services,
  // A list without a limit would be that of a million users.
  users: {
    ...users,
    parse: (data: Fields) => ({ limit: mostNames, ...withoutUndefined(users.parse(data)) }),
  },
  channels: {
    ...channels,
    parse: (data: Fields) => ({ limit: mostNames, ...withoutUndefined(channels.parse(data)) }),
  },
};

function withoutUndefined<Query extends object>(query: Query): Query {
  return Object.fromEntries(
    Object.entries(query).filter(([, value]) => value !== undefined),
  ) as Query;
}

/** The same rows, for requests of any service. */
export const engineServiceTable = engineServices as unknown as ServiceTable;
