import { join } from "node:path";
import { serverKey } from "../platform/curve.ts";
import { withKey } from "../platform/endpoint.ts";
import { readGatewayKey } from "../platform/gateway-key.ts";
import type { Settings } from "../platform/settings.ts";

export type GatewayConfig = ReturnType<typeof gatewayConfig>;

/** @throws Problem (exit code 2) that names the wrong setting */
export function gatewayConfig(settings: Settings) {
  const key = serverKey(settings);
  const data = settings.get("data");
  return {
    brokers: withKey(settings.get("broker"), key),
    proxies: withKey(settings.get("proxy"), key),
    reference: withKey(settings.get("reference"), key),
    /** Where game servers accept players. */
    games: withKey(settings.get("game"), key),
    /** Where browsers and programs connect. */
    http: settings.get("http"),
    /** Addresses of the proxies whose `X-Forwarded-…` headers the gateway believes. */
    trustedProxies: settings.optional("trustedProxies") ?? [],
    /** The folder with the slots of all gateways. */
    slots: join(data, "gateways"),
    key: readGatewayKey(settings),
    metrics: settings.optional("metrics"),
    logLevel: settings.get("logLevel"),
  };
}
