# A worker: `docker build -t tribunal .`, then
#
#   docker run --rm -v "$PWD:/deployment:ro" -e TEMPORAL_ADDRESS=temporal.example:7233 -p 127.0.0.1:9464:9464 tribunal
#
# The deployment (tribunal.yaml, plans, critics) is mounted or copied to /deployment; secrets come from the environment and
# stand in no layer. deploy/kubernetes.yaml is an example for a cluster, docs/operations.md says what the port answers.

FROM node:20.20.2-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json tsconfig.json tsconfig.build.json ./
COPY scripts/setup.mjs scripts/bundle-workflows.mjs scripts/
COPY src src
COPY temporal temporal
RUN node scripts/setup.mjs

FROM node:20.20.2-bookworm-slim
# The SDK's native part looks for the authorities of the system; the slim image has none.
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json package-lock.json LICENSE ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund && npm cache clean --force
COPY bin bin
COPY --from=build /app/dist dist
RUN ln -s /app/bin/tribunal.mjs /usr/local/bin/tribunal
ENV NODE_ENV=production TRIBUNAL_LOG_FORMAT=json TRIBUNAL_METRICS=:9464
WORKDIR /deployment
USER node
EXPOSE 9464
# Clusters have probes of their own. A loop that a critic blocks does not answer.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=6 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9464/livez').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# No shell in between: the process gets the signals itself.
ENTRYPOINT ["tribunal"]
CMD ["worker"]
