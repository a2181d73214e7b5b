# One image for every role: `docker run tertulia server`, `… broker`, `… chat`.
# Debian, not Alpine: ZeroMQ's prebuilt binaries need glibc.

FROM node:20-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Without scripts: `prepare` would build sources that are not here yet, and the native packages
# carry prebuilt binaries for this platform.
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts

FROM dependencies AS build
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
# Without the test bench, which is for the sources.
RUN npm run build && rm -r dist/trials

FROM node:20-bookworm-slim AS production-dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN --mount=type=cache,target=/root/.npm npm ci --omit=dev --ignore-scripts \
  && node -e 'Promise.all([import("zeromq"), import("fs-native-extensions"), import("sodium-native")])'

FROM node:20-bookworm-slim
ENV NODE_ENV=production TERTULIA_DATA=/app/data
WORKDIR /app
# Whoever mounts a new volume here has its owner from it. The servers' has nothing in it to be copied:
# several that begin at once would get in each other's way.
RUN install -d -o node -g node /app/data /app/reference /app/reference/public
COPY package.json LICENSE ./
COPY --from=production-dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
USER node
# The role is in TERTULIA_ROLE.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --start-interval=1s --retries=3 \
  CMD ["node", "dist/cli.js", "health"]
# In exec form, so that the process itself gets SIGTERM and can settle before it ends.
ENTRYPOINT ["node", "dist/cli.js"]
CMD ["--help"]
