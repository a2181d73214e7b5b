import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Deployment, StatefulSet } from "kubernetes-types/apps/v1.d.ts";
import type { ConfigMap, Container, PodSpec, Service } from "kubernetes-types/core/v1.d.ts";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { broker } from "../src/broker/main.ts";
import { forwarderConfig } from "../src/forwarder/config.ts";
import { gatewayConfig } from "../src/gateway/config.ts";
import { splitHost } from "../src/platform/parse-endpoint.ts";
import { rows, Settings } from "../src/platform/settings.ts";
import { durations } from "../src/protocol/limits.ts";
import { proxy } from "../src/proxy/main.ts";
import { referenceConfig } from "../src/reference/config.ts";
import { serverConfig } from "../src/server/config.ts";
import { packageRoot } from "./support/package-consumer.ts";
import { temporaryFolder } from "./support/temporary-folder.ts";

const folder = "ops/kubernetes";

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

const manifests = readdirSync(folder)
  .filter((name) => name !== "kustomization.yaml")
  .flatMap((name) => parseAllDocuments(readFileSync(join(folder, name), "utf8")))
  .map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as Manifest;
  });
const of = <T>(...kinds: string[]) => manifests.filter(({ kind }) => kinds.includes(kind)) as T[];
const kustomization = parse(readFileSync(join(folder, "kustomization.yaml"), "utf8"));
const dockerfile = readFileSync("Dockerfile", "utf8");

/** The pods by the name of their role. */
const pods = of<Deployment | StatefulSet>("Deployment", "StatefulSet").map((workload) => {
  const spec = workload.spec?.template.spec as PodSpec;
  const [container] = spec.containers as [Container];
  return { name: workload.metadata?.name ?? "", workload, spec, container };
});

function podOf(name: string) {
  const pod = pods.find((one) => one.name === name);
  if (pod === undefined) throw new Error(`there is no ${name}`);
  return pod;
}

/** The environment that Kubernetes gives to the container of a pod. */
function environmentOf(container: Container): Record<string, string> {
  const shared = (container.envFrom ?? []).map(({ configMapRef }) => {
    const maps = of<ConfigMap>("ConfigMap");
    return maps.find(({ metadata }) => metadata?.name === configMapRef?.name)?.data ?? {};
  });
  const env: Record<string, string> = Object.assign({}, ...shared);
  for (const { name, value, valueFrom } of container.env ?? []) {
    if (valueFrom?.fieldRef !== undefined) env[name] = "server-0";
    else if (valueFrom !== undefined) env[name] = "the secret, from Kubernetes";
    else env[name] = (value ?? "").replace(/\$\((\w+)\)/g, (_, used) => env[used] ?? "");
  }
  return env;
}

const curvePublicKey = "b".repeat(64);

/** The settings of a gateway's keys, which Kubernetes mounts from a Secret, in a folder. */
function keysOf(name: string, folder: string): Record<string, string> {
  if (name !== "gateway") return {};
  const { spec, container } = podOf(name);
  const { TERTULIA_GATEWAY_KEY_FILE = "", TERTULIA_SERVER_KEY_FILE = "" } =
    environmentOf(container);
  const mounted = container.volumeMounts?.find((one) => one.name === "keys")?.mountPath;
  expect(spec.volumes).toContainEqual({
    name: "keys",
    secret: { secretName: "gateway", defaultMode: 0o440 },
  });
  for (const path of [TERTULIA_GATEWAY_KEY_FILE, TERTULIA_SERVER_KEY_FILE]) {
    expect(dirname(path)).toBe(mounted);
  }
  return {
    TERTULIA_GATEWAY_KEY_FILE: join(folder, basename(TERTULIA_GATEWAY_KEY_FILE)),
    TERTULIA_SERVER_KEY_FILE: join(folder, basename(TERTULIA_SERVER_KEY_FILE)),
  };
}

const groups: Readonly<Record<string, string>> = {
  v1: "core/v1",
  "apps/v1": "apps/v1",
  "policy/v1": "policy/v1",
};

test("[O59] the Kubernetes objects have only fields of Kubernetes' API, with values of their types", {
  timeout: 60_000,
}, async () => {
  await using work = await temporaryFolder();
  await symlink(join(packageRoot, "node_modules"), join(work.path, "node_modules"));
  const lines = manifests.map((manifest, index) => {
    const type = `import("kubernetes-types/${groups[manifest.apiVersion]}").${manifest.kind}`;
    return `export const object${index}: ${type} = ${JSON.stringify(manifest, null, 2)};`;
  });
  const file = join(work.path, "objects.ts");
  const compile = async (text: string) => {
    await writeFile(file, text);
    const compiler = join(packageRoot, "node_modules", "typescript", "bin", "tsc");
    const flags = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext"];
    const args = [compiler, ...flags, "--ignoreConfig", "objects.ts"];
    return spawnSync(process.execPath, args, { cwd: work.path, encoding: "utf8" }).stdout;
  };
  expect(await compile(lines.join("\n"))).toBe("");
  const misspelt = lines.join("\n").replace('"readOnlyRootFilesystem"', '"readOnlyRootFileSystem"');
  expect(await compile(misspelt)).toContain("readOnlyRootFileSystem");
});

test("[O59] each process accepts its settings in Kubernetes, and each of these settings exists", async () => {
  await using work = await temporaryFolder();
  await writeFile(join(work.path, "key"), "a".repeat(64));
  await writeFile(join(work.path, "server.key"), curvePublicKey);
  expect(pods.map(({ name }) => name).toSorted()).toEqual([
    "broker",
    "gateway",
    "proxy",
    "reference",
    "server",
  ]);
  const known = ["TERTULIA_SECRET", ...Object.values(rows).map(({ env }) => env)] as string[];
  for (const { name, container } of pods) {
    const env = { ...environmentOf(container), ...keysOf(name, work.path) };
    const named = Object.keys(env).filter((variable) => variable.startsWith("TERTULIA_"));
    expect(named.filter((variable) => !known.includes(variable))).toEqual([]);
    const settings = new Settings({}, env);
    const read = {
      reference: () => referenceConfig(settings),
      broker: () => forwarderConfig("broker", broker.ends, settings),
      proxy: () => forwarderConfig("proxy", proxy.ends, settings),
      server: () => serverConfig(settings),
      gateway: () => {
        const { brokers } = gatewayConfig(settings);
        return { keys: brokers.every((one) => one.endsWith(`#${curvePublicKey}`)) || undefined };
      },
    }[name];
    expect(container.args).toEqual([name]);
    expect(read?.().keys, `${name} encrypts`).toBeDefined();
    expect(settings.get("auth")).toBe("required");
  }
});

test("[O59] a server advertises the name of its pod, which the service of the servers resolves", () => {
  const { workload, container } = podOf("server");
  const { serviceName, podManagementPolicy } = (workload as StatefulSet).spec ?? {};
  const { TERTULIA_ADVERTISE } = environmentOf(container);
  expect(TERTULIA_ADVERTISE).toBe(`server-0.${serviceName}`);
  expect(podManagementPolicy).toBe("Parallel");
  const service = of<Service>("Service").find(({ metadata }) => metadata?.name === serviceName);
  expect(service?.spec).toMatchObject({ clusterIP: "None", publishNotReadyAddresses: true });
});

test("[O59] each endpoint in the settings leads through a service to a port that a container has bound", () => {
  const services = of<Service>("Service");
  const env = environmentOf(podOf("server").container);
  const names = ["BROKER", "BROKER_BACK", "PROXY_IN", "PROXY", "REFERENCE"];
  const web = of<Service>("Service").find(({ metadata }) => metadata?.name === "gateway")?.spec;
  const { TERTULIA_HTTP = "" } = environmentOf(podOf("gateway").container);
  expect(web?.ports?.map(({ port }) => String(port))).toEqual([splitHost(TERTULIA_HTTP)?.port]);
  for (const endpoint of names.map((name) => env[`TERTULIA_${name}`] ?? "")) {
    const { host, port } = splitHost(endpoint) ?? {};
    const service = services.find(({ metadata }) => metadata?.name === host)?.spec;
    expect(service?.ports?.map((one) => one.port)).toContain(Number(port));
    const { container } = podOf(service?.selector?.["app.kubernetes.io/component"] ?? "");
    expect(container.ports?.map((one) => one.containerPort)).toContain(Number(port));
    const own = environmentOf(container);
    const bound = [own.TERTULIA_FRONT, own.TERTULIA_BACK, own.TERTULIA_BIND];
    expect(bound).toContain(`tcp://0.0.0.0:${port}`);
  }
});

describe.each(pods)(
  "[O59] the pod of a $name in Kubernetes",
  ({ name, workload, spec, container }) => {
    test("has the user of the image, no rights, and a root file system that it cannot write", () => {
      const [, user, group] = /^USER (\d+):(\d+)$/m.exec(dockerfile) ?? [];
      expect(spec.securityContext).toMatchObject({
        runAsNonRoot: true,
        runAsUser: Number(user),
        runAsGroup: Number(group),
        fsGroup: Number(group),
        seccompProfile: { type: "RuntimeDefault" },
      });
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      const paths = container.volumeMounts?.map(({ mountPath }) => mountPath);
      const [, data] = /TERTULIA_DATA=(\S+)/.exec(dockerfile) ?? [];
      expect(paths).toEqual([data, "/tmp", ...(name === "gateway" ? ["/app/gateway"] : [])]);
      const hasSecret = "TERTULIA_SECRET" in environmentOf(container);
      expect(hasSecret).toBe(name !== "gateway");
    });

    test("is asked at the port of its metrics whether it lives and is ready", () => {
      const { TERTULIA_METRICS = "" } = environmentOf(container);
      const port = container.ports?.find((one) => one.name === "metrics")?.containerPort;
      expect(splitHost(TERTULIA_METRICS)?.port).toBe(String(port));
      const { startupProbe, livenessProbe, readinessProbe } = container;
      const probes = [startupProbe, livenessProbe, readinessProbe];
      expect(probes.map((probe) => probe?.httpGet)).toEqual([
        { path: "/livez", port: "metrics" },
        { path: "/livez", port: "metrics" },
        { path: "/readyz", port: "metrics" },
      ]);
    });

    test("has memory, time to end, and the labels by which it is found", () => {
      expect(container.resources?.limits?.memory).toBeDefined();
      // 30 seconds is Kubernetes' default.
      const graceMs = 1_000 * (spec.terminationGracePeriodSeconds ?? 30);
      expect(graceMs).toBeGreaterThan(2 * durations.leaveMs);
      const labels = workload.spec?.template.metadata?.labels;
      expect(labels).toEqual({ "app.kubernetes.io/component": name });
      expect(workload.spec?.selector).toEqual({ matchLabels: labels });
    });
  },
);

test("[O59] kustomize names the image's present version and all files", () => {
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  expect(kustomization.images).toMatchObject([{ name: "tertulia", newTag: version }]);
  expect(dockerfile).toContain(`org.opencontainers.image.version="${version}"`);
  const files = readdirSync(folder).filter((file) => file !== "kustomization.yaml");
  expect(kustomization.resources.toSorted()).toEqual(files.toSorted());
});

const hasKubectl = spawnSync("kubectl", ["version", "--client"]).status === 0;
const why = hasKubectl ? "" : " (skipped: kubectl is not installed)";
test.skipIf(!hasKubectl)(`[O59] kubectl builds the objects from ops/kubernetes${why}`, () => {
  const text = execFileSync("kubectl", ["kustomize", folder], { encoding: "utf8" });
  const built = parseAllDocuments(text).map((document) => document.toJS() as Manifest);
  expect(built).toHaveLength(manifests.length);
  expect(text).toContain("image: registry.example.com/tertulia:");
});
