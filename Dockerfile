# One image for every role: `docker run tertulia server`, `… broker`, `… chat`.
# Debian, not Alpine: ZeroMQ's prebuilt binaries need glibc.

FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Without scripts: `prepare` would build sources that are not here yet, and the native packages
# carry prebuilt binaries for this platform.
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts

FROM dependencies AS build
COPY tsconfig.json tsconfig.build.json build-page.ts ./
COPY src ./src
# The test bench needs the sources. Source maps and types are for programs outside the image.
RUN npm run build -- --sourceMap false --declaration false && rm -r dist/trials

FROM node:24-bookworm-slim AS production-dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Native packages carry binaries for all platforms. The last line fails if a needed one was removed.
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --ignore-scripts \
  && arch="$(node -p process.arch)" \
  && find node_modules/*/prebuilds -mindepth 1 -maxdepth 1 ! -name "linux-$arch" -exec rm -r {} + \
  && find node_modules/zeromq/build -mindepth 2 -maxdepth 2 ! -path "*/linux/$arch" -exec rm -r {} + \
  && node -e 'Promise.all(["zeromq", "fs-native-extensions", "sodium-native", "@node-rs/argon2"].map((name) => import(name)))'

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="Tertulia" \
  org.opencontainers.image.description="A chat cluster that a small team runs itself, on ZeroMQ" \
  org.opencontainers.image.version="0.2.0" \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.base.name="docker.io/library/node:24-bookworm-slim"
ENV NODE_ENV=production TERTULIA_DATA=/app/data
WORKDIR /app
# A new volume takes its owner from the folder at which it is mounted. The servers' folder is empty:
# containers that begin at once would otherwise all copy files into the volume.
RUN install -d -o node -g node /app/data /app/reference /app/reference/public \
  /app/reference/gateway
COPY package.json LICENSE ./
COPY --from=production-dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# By number, so that Kubernetes can see that it is not root.
USER 1000:1000
# The role is in TERTULIA_ROLE. A machine that starts a whole cluster at once is slow for a while.
HEALTHCHECK --interval=10s --timeout=10s --start-period=120s --start-interval=2s --retries=5 \
  CMD ["node", "dist/cli.js", "health"]
# In exec form, so that the process itself gets SIGTERM and can settle before it ends.
ENTRYPOINT ["node", "dist/cli.js"]
CMD ["--help"]
