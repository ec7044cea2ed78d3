/** Istio's resources as the tests give them to istiod: services on ports of this machine. */

export interface Version {
  readonly name: string;
  readonly port: number;
}

const made = "creationTimestamp: '2026-01-01T00:00:00Z'";

/** MeshConfig. Without a provider of metrics istiod generates no istio.stats. */
export const mesh = `
accessLogFile: ''
defaultProviders:
  metrics: [prometheus]
`;

/** For proxies that nobody gives certificates. */
export const meshWithoutTls = `${mesh}enableAutoMtls: false\n`;

/**
 * A service of several versions whose workloads have no sidecar. `revision`: another one makes istiod read the endpoints
 * again; file-only istiod sometimes starts without them.
 */
export function service(host: string, versions: readonly Version[], revision = 1): string {
  const [name, namespace] = host.split('.');
  return `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${name}, namespace: ${namespace}, ${made}, labels: {rev: '${revision}'}}
spec:
  hosts: [${host}]
  addresses: [240.0.0.1]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 9080, name: http, protocol: HTTP}]
  endpoints:
${versions.map((version) => `  - {address: 127.0.0.1, ports: {http: ${version.port}}, labels: {version: ${version.name}, security.istio.io/tlsMode: disabled}}`).join('\n')}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: ${name}, namespace: ${namespace}, ${made}}
spec:
  host: ${host}
  subsets:
${versions.map(({ name: version }) => `  - {name: ${version}, labels: {version: ${version}}}`).join('\n')}
`;
}

export function gateway(port: number): string {
  return `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: public, namespace: istio-system, ${made}}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: ${port}, name: http, protocol: HTTP}, hosts: ['*']}
`;
}

/** Traffic of the gateway for any host: by a header to the last version, else by weight (percent for each version). */
export function weights(host: string, versions: readonly Version[], percents: readonly number[]): string {
  const [name, namespace] = host.split('.');
  const to = (version: string, weight: number): string =>
    `    - {destination: {host: ${host}, subset: ${version}}, weight: ${weight}}`;
  return `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ${name}, namespace: ${namespace}, ${made}}
spec:
  hosts: ['*']
  gateways: [istio-system/public]
  http:
  - match: [{headers: {x-canary: {exact: 'yes'}}}]
    route:
${to(versions.at(-1)!.name, 100)}
  - route:
${versions.map((version, i) => to(version.name, percents[i])).join('\n')}
`;
}

/** A service on `port`, with a sidecar before its one workload. */
export interface GuardedService {
  readonly host: string;
  readonly port: number;
  /** Of the workload's pod, and where its sidecar listens. */
  readonly address: string;
  readonly sidecarPort: number;
  /** Where it serves itself. */
  readonly originPort: number;
}

export function guarded(service: GuardedService, revision = 1): string {
  const { host, port, address, sidecarPort, originPort } = service;
  const [name, namespace] = host.split('.');
  return `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${name}, namespace: ${namespace}, ${made}, labels: {rev: '${revision}'}}
spec:
  hosts: [${host}]
  addresses: [240.0.0.2]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: ${port}, name: http, protocol: HTTP}]
  endpoints:
  - address: ${address}
    ports: {http: ${sidecarPort}}
    labels: {app: ${name}, security.istio.io/tlsMode: istio}
    serviceAccount: ${name}
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: ${name}, namespace: ${namespace}, ${made}}
spec:
  workloadSelector: {labels: {app: ${name}}}
  ingress:
  - port: {number: ${sidecarPort}, name: http, protocol: HTTP}
    bind: ${address}
    defaultEndpoint: 127.0.0.1:${originPort}
  # All pods are on one machine: only the client's sidecar has the service's port.
  egress: [{hosts: [istio-system/*]}]
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: ${name}, namespace: ${namespace}, ${made}}
spec: {selector: {matchLabels: {app: ${name}}}, mtls: {mode: STRICT}}
`;
}

/** Who may ask the service, by principal. */
export function allowed(host: string, principals: readonly string[]): string {
  const [name, namespace] = host.split('.');
  return `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ${name}, namespace: ${namespace}, ${made}}
spec:
  selector: {matchLabels: {app: ${name}}}
  rules: [{from: [{source: {principals: [${principals.map((one) => `'${one}'`).join(', ')}]}}]}]
`;
}
