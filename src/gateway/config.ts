import { createSecretKey, type KeyObject } from "node:crypto";
import { join } from "node:path";
import { serverKey } from "../platform/curve.ts";
import { withKey } from "../platform/endpoint.ts";
import { errorCode, Problem } from "../platform/problem.ts";
import type { Settings } from "../platform/settings.ts";
import { readShortFile } from "../platform/short-file.ts";
import { decodePlainText } from "../protocol/plain-text.ts";

export type GatewayConfig = ReturnType<typeof gatewayConfig>;

/** @throws Problem (exit code 2) that names the wrong setting */
export function gatewayConfig(settings: Settings) {
  const key = serverKey(settings);
  const data = settings.get("data");
  return {
    brokers: withKey(settings.get("broker"), key),
    proxies: withKey(settings.get("proxy"), key),
    reference: withKey(settings.get("reference"), key),
    /** Where browsers and programs connect. */
    http: settings.get("http"),
    /** Addresses of the proxies whose `X-Forwarded-…` headers the gateway believes. */
    trustedProxies: settings.optional("trustedProxies") ?? [],
    /** The folder with the slots of all gateways. */
    slots: join(data, "gateways"),
    key: readGatewayKey(settings.optional("gatewayKeyFile") ?? join(data, gatewayKeyPath)),
    metrics: settings.optional("metrics"),
    logLevel: settings.get("logLevel"),
  };
}

/** The path of the gateways' key in a data folder. The reference writes the file (X9). */
const gatewayKeyPath = "gateway/key";

function readGatewayKey(path: string): KeyObject {
  let text: string;
  try {
    text = decodePlainText(readShortFile(path).bytes).trim();
  } catch (error) {
    throw new Problem(
      `The gateways' key can't be read at ${path} (${errorCode(error)}): ` +
        `copy the ${gatewayKeyPath} of the cluster's reference.`,
      2,
    );
  }
  if (/^[0-9a-f]{64}$/i.test(text)) return createSecretKey(Buffer.from(text, "hex"));
  throw new Problem(
    `${path} holds no gateways' key, which has 64 hex digits: ` +
      `copy the ${gatewayKeyPath} of the cluster's reference.`,
    2,
  );
}
