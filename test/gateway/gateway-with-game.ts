import { join } from "node:path";
import { gatewayConfig } from "../../src/gateway/config.ts";
import { startGateway } from "../../src/gateway/gateway.ts";
import { Settings } from "../../src/platform/settings.ts";
import { until } from "../support/until.ts";
import type { GatewayScene } from "./gateway-scene.ts";

/** Starts a gateway of the scene's cluster in this process, whose game server is at this endpoint. */
export async function gatewayWithGame(scene: GatewayScene, game: string) {
  const { broker, proxy, reference } = scene.cluster.endpoints;
  const data = scene.cluster.folder;
  const http = "tcp://127.0.0.1:*";
  const flags = { data, broker, proxy, reference, game, http, logLevel: "silent" };
  const environment = { TERTULIA_TRUSTED_PROXIES: "127.0.0.1" };
  const config = gatewayConfig(new Settings(flags, environment));
  const gateway = await startGateway({ ...config, slots: join(data, "gateways-with-game") });
  const address = gateway.http.replace("tcp:", "http:");
  const isReady = async () => (await fetch(`${address}/readyz`)).ok;
  await until(isReady, "the gateway is ready", 30_000);
  return { ...gateway, address };
}
