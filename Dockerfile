# Hearth's server in one image; HEARTH_ROLE says what a container of it does (api, worker, all).
FROM node:22-bookworm-slim AS build
WORKDIR /hearth
COPY . .
# The same set-up as a checkout's: npm ci, then compile, pack the agent, build the dashboard.
RUN node scripts/build.mjs

FROM node:22-bookworm-slim AS dependencies
WORKDIR /hearth
COPY package.json package-lock.json .npmrc ./
COPY libs libs
COPY apps/server/package.json apps/server/
# What the lock file says, of this one workspace: `npm ci` wants to see all of them. Without the embedded Postgres
# (optional): here the database is a container of its own.
RUN npm install --no-save --omit=dev --omit=optional --workspace=@hearth/server --no-audit --no-fund

FROM node:22-bookworm-slim
ENV NODE_ENV=production
WORKDIR /hearth
COPY --from=dependencies /hearth/package.json ./
COPY --from=dependencies /hearth/node_modules node_modules
COPY --from=build /hearth/libs libs
COPY --from=build /hearth/apps/server/package.json apps/server/
COPY --from=build /hearth/apps/server/dist apps/server/dist
COPY --from=build /hearth/apps/dashboard/dist apps/dashboard/dist
COPY --from=build /hearth/apps/agent/dist-pack apps/agent/dist-pack
COPY --from=build /hearth/apps/cli/dist-pack apps/cli/dist-pack
COPY LICENSE ./
USER node
EXPOSE 4040
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:4040/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "apps/server/dist/main.js"]
