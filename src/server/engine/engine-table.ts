import type { Service } from "../../protocol/client-messages.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { Fields } from "../../protocol/fields.ts";
import { services } from "../core/services.ts";
import { refuse } from "../core/serving/decision.ts";
import type { ServiceRows } from "../core/serving/service.ts";
import { mostNames } from "./needs.ts";

const { users, channels, trace } = services;

/** The services of servers with an engine: those of a replica, but for what only a replica has. */
export const engineTable: ServiceRows<Service> = {
  ...services,
  // A list without a limit would be that of a million users.
  users: { ...users, parse: (data: Fields) => ({ limit: mostNames, ...given(users.parse(data)) }) },
  channels: {
    ...channels,
    parse: (data: Fields) => ({ limit: mostNames, ...given(channels.parse(data)) }),
  },
  trace: {
    ...trace,
    decide: () => refuse(new ProtocolError("bad_request", "Servers with an engine keep no steps.")),
  },
};

function given<Query extends object>(query: Query): Query {
  return Object.fromEntries(
    Object.entries(query).filter(([, value]) => value !== undefined),
  ) as Query;
}
