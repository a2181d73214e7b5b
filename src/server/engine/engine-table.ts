import type { Service } from "../../protocol/client-messages.ts";
import type { Fields } from "../../protocol/fields.ts";
import { services } from "../core/services.ts";
import type { ServiceRows } from "../core/serving/service.ts";
import { mostNames } from "./needs.ts";

const { users, channels } = services;

/** The services of servers with an engine: those of a replica, with shorter lists. */
export const engineTable: ServiceRows<Service> = {
  ...services,
  // A list without a limit would be that of a million users.
  users: { ...users, parse: (data: Fields) => ({ limit: mostNames, ...given(users.parse(data)) }) },
  channels: {
    ...channels,
    parse: (data: Fields) => ({ limit: mostNames, ...given(channels.parse(data)) }),
  },
};

function given<Query extends object>(query: Query): Query {
  return Object.fromEntries(
    Object.entries(query).filter(([, value]) => value !== undefined),
  ) as Query;
}
