import { existsSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { curveKeys, keyFileText } from "../platform/curve.ts";
import { makeFolder, ownerOnly, ownerOnlyFolder, writeNow } from "../platform/folder.ts";
import { gatewayKeyText } from "../platform/gateway-key.ts";
import { inBrackets } from "../platform/parse-endpoint.ts";
import { printLine } from "../platform/print.ts";
import { errorCode, Problem } from "../platform/problem.ts";
import { randomHex } from "../platform/random.ts";
import { Secret } from "../platform/secret.ts";
import { rows } from "../platform/settings.ts";
import type { Text } from "../texts/texts.ts";

interface Host {
  readonly name: string;
  readonly address: string;
}

/** The ports of each host: those of `up` (O8), of a server's peer link (O9), HTTP, and metrics. */
const ports = { broker: 5555, brokerBack: 5556, proxyIn: 5557, proxy: 5558, reference: 5559 };
const peerPort = 5560;
const httpPort = 8080;
const metricsPorts = { broker: 9464, proxy: 9465, reference: 9466, server: 9467, gateway: 9468 };

/** The folders for people's computers, and for the keys of gateways. No host can have their names. */
const client = "client";
const gateway = "gateway";
const secretBytes = 32;
/** Where systemd keeps the data of the units (`StateDirectory`). */
const dataFolder = "/var/lib/tertulia";
const gatewayFolder = "/var/lib/tertulia-gateway";

/**
 * `tertulia init HOST...`: writes the secret and the settings of each host of a new cluster, those
 * of its clients, and the keys of its gateways, and prints what to do next.
 * @param texts each host as `name=address`; the first host runs the reference
 * @throws Problem (exit code 2) if a host is invalid or named twice
 * @throws Problem (exit code 1) if the folder exists already or can't be written
 */
export function runInit(texts: readonly string[], folder: string, text: Text): void {
  const hosts = texts.map((said) => parseHost(said, text));
  for (const key of ["name", "address"] as const) {
    const twice = hosts.find((host, at) => hosts.findIndex((one) => one[key] === host[key]) < at);
    if (twice !== undefined) throw new Problem(text("init.twice", { value: twice[key] }), 2);
  }
  if (existsSync(folder)) throw new Problem(text("init.exists", { folder }));
  try {
    writeAll(hosts, folder, text);
  } catch (error) {
    const why = errorCode(error) ?? "";
    throw new Problem(text("init.unwritable", { folder, why }), 1, { cause: error });
  }
  for (const line of nextSteps(hosts, folder, text)) printLine(line);
}

/** Writes the folders of all hosts and of the clients. @throws the error of the file system */
function writeAll(hosts: readonly Host[], folder: string, text: Text): void {
  const secret = randomHex(secretBytes);
  const publicKey = keyFileText(curveKeys(secretOf(secret)));
  for (const host of hosts) {
    write(join(folder, host.name), {
      "tertulia.yaml": hostSettings(hosts, host, text),
      secret: `${secret}\n`,
    });
  }
  write(join(folder, client), {
    "tertulia.yaml": clientSettings(hosts, text),
    "server.key": publicKey,
  });
  write(join(folder, gateway), {
    "gateway.key": gatewayKeyText(secretOf(secret)),
    "server.key": publicKey,
  });
}

function parseHost(said: string, text: Text): Host {
  const [, name = "", address = ""] = /^([a-z0-9][\w.-]{0,62})=(.+)$/i.exec(said) ?? [];
  if (isIP(address) === 0 || [client, gateway].includes(name.toLowerCase())) {
    throw new Problem(text("init.host", { said }), 2);
  }
  return { name, address };
}

function secretOf(text: string): Secret {
  const cluster = rows.cluster.fallback ?? "";
  return new Secret(text, { text, path: "", isDefault: false, cluster });
}

/** Writes the files of one folder. Only their owner may read them, and enter the folder. */
function write(folder: string, files: Readonly<Record<string, string>>): void {
  makeFolder(folder, ownerOnlyFolder);
  for (const [name, text] of Object.entries(files)) writeNow(join(folder, name), text, ownerOnly);
}

const at = (address: string, port: number) => `tcp://${inBrackets(address)}:${port}`;

/** Returns a list in YAML: the endpoints of a port on all hosts. */
function everywhere(hosts: readonly Host[], port: number): string {
  return hosts.map(({ address }) => `\n  - ${at(address, port)}`).join("");
}

function hostSettings(hosts: readonly Host[], { name, address }: Host, text: Text): string {
  const here = (port: number) => at(address, port);
  return `# ${text("init.hostComment", { name, address })}
${clientEndpoints(hosts)}
broker-back:${everywhere(hosts, ports.brokerBack)}
proxy-in:${everywhere(hosts, ports.proxyIn)}
auth: required
curve: true
secret-file: secret
data: ${dataFolder}
advertise: "${address}"

roles:
  broker:
    front: ${here(ports.broker)}
    back: ${here(ports.brokerBack)}
    metrics: ${here(metricsPorts.broker)}
  proxy:
    front: ${here(ports.proxyIn)}
    back: ${here(ports.proxy)}
    metrics: ${here(metricsPorts.proxy)}
  reference:
    bind: ${here(ports.reference)}
    metrics: ${here(metricsPorts.reference)}
  server:
    bind: ${here(peerPort)}
    metrics: ${here(metricsPorts.server)}
  gateway:
    http: ${here(httpPort)}
    trusted-proxies:${hosts.map((host) => `\n      - "${host.address}"`).join("")}
    gateway-key-file: gateway.key
    server-key-file: server.key
    data: ${gatewayFolder}
    metrics: ${here(metricsPorts.gateway)}
`;
}

function clientSettings(hosts: readonly Host[], text: Text): string {
  return `# ${text("init.clientComment")}
${clientEndpoints(hosts)}
server-key-file: server.key
`;
}

/** The endpoints that hosts and clients have in common. The first host runs the reference. */
function clientEndpoints(hosts: readonly Host[]): string {
  return `broker:${everywhere(hosts, ports.broker)}
proxy:${everywhere(hosts, ports.proxy)}
reference: ${at(hosts[0]?.address ?? "", ports.reference)}`;
}

function nextSteps(hosts: readonly Host[], folder: string, text: Text): string[] {
  const units = (roles: readonly string[]) => roles.map((role) => `tertulia@${role}`).join(" ");
  return [
    text("init.done", { folder }),
    ...hosts.flatMap((host, index) => {
      const roles = [...(index === 0 ? ["reference"] : []), "broker", "proxy", "server"];
      return ["", text("init.onHost", { ...host, folder }), `  ${enable} ${units(roles)}`];
    }),
    "",
    text("init.clients", { folder: join(folder, client) }),
    text("init.gateways", { folder: join(folder, gateway) }),
    quorumNote(hosts.length, text),
  ];
}

const enable = "sudo systemctl enable --now tertulia.target";

/** Says how many hosts may be down, because a majority of all servers must be up. */
function quorumNote(count: number, text: Text): string {
  const down = Math.ceil(count / 2) - 1;
  if (down === 0) return text(count === 1 ? "init.oneHost" : "init.twoHosts");
  const note = text("init.mayBeDown", { count, down });
  return count % 2 === 1 ? note : `${note} ${text("init.evenHosts", { odd: count - 1 })}`;
}
