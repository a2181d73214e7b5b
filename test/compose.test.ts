import { readFileSync, statSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";

const text = readFileSync("docker-compose.yml", "utf8");
const { services } = parse(text, { merge: true });

/** The lines of a service, or of a block that services share, up to an empty line. */
function part(name: string): string {
  return new RegExp(`^(?:x-|  )${name}:[^\\n]*\\n(.*?)^$`, "ms").exec(text)?.[1] ?? "";
}

test("the image's folder /app/data is empty, so containers that share a new volume do not all copy files into the volume", () => {
  const [, folders = ""] =
    /install -d .* node (\/app\/data.*)/.exec(readFileSync("Dockerfile", "utf8")) ?? [];
  expect(folders.split(" ").filter((path) => path.startsWith("/app/data"))).toEqual(["/app/data"]);
  for (const service of ["broker", "proxy", "server", "bot", "gateway"]) {
    expect(part(service)).toContain(`"${service}-data:/app/data"`);
  }
});

test.each(["bot", "client", "gateway"])(
  "[X1] docker-compose.yml gives the container of a %s the public key and no secret",
  (service) => {
    const shared = [...part(service).matchAll(/\*([a-z]+)/g)].map(([, name = ""]) => part(name));
    const whole = [part(service), ...shared].join("");
    expect(whole).toContain("TERTULIA_SERVER_KEY_FILE: /app/public/server.key");
    expect(whole).toMatch(/TERTULIA_CURVE: \$\{TERTULIA_CURVE:-\}/);
    expect(whole).toContain('public:/app/public:ro"');
    expect(whole).not.toMatch(/secret|reference-data/i);
    expect(part("server")).toMatch(/\*secret.*"reference-data:\/app\/reference:ro"/s);
  },
);

test("[X9] docker-compose.yml gives gateways the gateways' key in a volume that has nothing else", () => {
  expect(services.reference.volumes).toContain("gateway-key:/app/reference/gateway");
  expect(services.gateway.volumes).toContain("gateway-key:/app/gateway:ro");
  expect(services.gateway.environment.TERTULIA_GATEWAY_KEY_FILE).toBe("/app/gateway/key");
  const holders = Object.values<{ volumes?: string[] }>(services).filter(({ volumes = [] }) =>
    volumes.some((volume) => volume.startsWith("gateway-key:")),
  );
  expect(holders).toHaveLength(2);
});

test("[O65] in docker-compose.yml, the profile duel has two game servers, and gateways and clients know them", () => {
  const games = ["game-1", "game-2"].map((name) => services[name]);
  expect(games.map(({ profiles }) => profiles)).toEqual([["duel"], ["duel"]]);
  for (const { environment, volumes, ports } of games) {
    expect(environment.TERTULIA_FRONT).toBe("tcp://0.0.0.0:5561");
    expect(volumes).toContain("game-data:/app/data");
    expect(ports.every((port: string) => port.startsWith("127.0.0.1:"))).toBe(true);
  }
  for (const name of ["gateway", "client"]) {
    const known = services[name].environment.TERTULIA_GAME;
    expect(known).toBe("tcp://game-1:5561,tcp://game-2:5561");
  }
});

test("[O32] in docker-compose.yml, the profile engine is a primary and a standby, and only they and the servers see the password", () => {
  for (const name of ["postgres-1", "postgres-2"]) {
    expect(services[name]).toMatchObject({
      profiles: ["engine"],
      hostname: name,
      user: "postgres",
      read_only: true,
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
      volumes: [
        `${name}-data:/var/lib/postgresql`,
        "engine:/var/run/postgresql",
        "./ops/postgres:/ops:ro",
      ],
    });
    expect(services[name].ports).toBeUndefined();
    expect(services.server.depends_on[name].required).toBe(false);
  }
  const readers = Object.keys(services).filter((name) =>
    services[name].volumes?.some((volume: string) => volume.startsWith("engine:")),
  );
  expect(readers).toEqual(["postgres-1", "postgres-2", "redis", "server"]);
  expect(services.server.volumes).toContain("engine:/app/engine:ro");
  expect(services.server.environment).toMatchObject({
    TERTULIA_ENGINE: expect.stringMatching(/^\$\{TERTULIA_ENGINE:-\}$/),
    TERTULIA_ENGINE_PASSWORD_FILE: "/app/engine/password",
    TERTULIA_REDIS: expect.stringMatching(/^\$\{TERTULIA_REDIS:-\}$/),
    TERTULIA_REDIS_PASSWORD_FILE: "/app/engine/password",
  });
});

test("[O32] in docker-compose.yml, the profile engine has a Redis that no other machine reaches, for which no server waits", () => {
  const { redis, server } = services;
  expect(redis).toMatchObject({
    profiles: ["engine"],
    user: "redis",
    read_only: true,
    cap_drop: ["ALL"],
    security_opt: ["no-new-privileges:true"],
    volumes: ["engine:/run/engine:ro", "./ops/redis:/ops:ro"],
  });
  expect(redis.ports).toBeUndefined();
  expect(Object.keys(server.depends_on)).not.toContain("redis");
  expect(statSync("ops/redis/start.sh").mode & 0o111).toBe(0o111);
});

test.each(["start", "promote", "confirm"])(
  "docker-compose.yml can run ops/postgres/%s.sh, which has no password and no variable with one",
  (name) => {
    const path = `ops/postgres/${name}.sh`;
    expect(statSync(path).mode & 0o111).toBe(0o111);
    expect(`${text}${readFileSync(path, "utf8")}`).not.toMatch(/PGPASSWORD|POSTGRES_PASSWORD/);
  },
);

test("[O32] in docker-compose.yml, Nginx has the tested configuration, two gateways and no rights of root", () => {
  const { nginx, gateway } = services;
  expect([nginx.profiles, gateway.profiles, gateway.deploy.replicas]).toEqual([
    ["web"],
    ["web"],
    2,
  ]);
  expect(nginx).toMatchObject({
    volumes: ["./ops/nginx/tertulia.conf:/etc/nginx/conf.d/default.conf:ro"],
    ports: [expect.stringMatching(/^127\.0\.0\.1:.*:8080$/)],
    read_only: true,
    cap_drop: ["ALL"],
    security_opt: ["no-new-privileges:true"],
  });
  const site = readFileSync("ops/nginx/tertulia.conf", "utf8");
  expect(site).toMatch(/^ {2}server gateway:8080 /m);
  expect(gateway.environment.TERTULIA_HTTP).toBe("tcp://0.0.0.0:8080");
});

test.each(["reference", "broker", "proxy", "server", "bot", "client", "gateway"])(
  "[O36] a container of a %s can write only to its volumes and to /tmp, and has no rights of root",
  (service) => {
    expect(services[service]).toMatchObject({
      read_only: true,
      tmpfs: ["/tmp"],
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
      environment: { XDG_STATE_HOME: "/tmp" },
    });
    expect(readFileSync("Dockerfile", "utf8")).toMatch(/^USER 1000:1000$/m);
  },
);
