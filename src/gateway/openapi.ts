import { ownVersion } from "../platform/version.ts";

/** What the description of the API says besides its routes. */
export function openapi() {
  return {
    openapi: "3.1.0",
    info: {
      title: "Tertulia",
      version: ownVersion(),
      description:
        "The chat over HTTP. Each reply has `Tertulia-Seen`; a request that sends this text back " +
        "as `Tertulia-After` shows at least as much. `Tertulia-Token` renews the token. In an " +
        "open cluster, the token only states a name. A write with `Idempotency-Key` takes effect " +
        "once, however often it is repeated. If the gateway itself has a defect, it answers " +
        "with a problem with status 500 and the code `internal`.",
    },
    components: {
      securitySchemes: { session: { type: "http" as const, scheme: "bearer" } },
    },
    security: [{ session: [] }],
  };
}
