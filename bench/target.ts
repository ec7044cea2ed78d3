import type { CertificateFiles } from './certificates.ts';

/**
 * What a proxy is configured to be; every target says which of these it can. `h2`: clients speak it, `h2-h2`: all do;
 * `tls`: clients do; `mtls-h1`, `mtls-h2`: two of the kind, that speak TLS with each other and are plain on the outside;
 * `hbone`: two in network namespaces of their own with tunnels in between, `hbone-handshakes`: with one for each connection.
 */
export type Shape =
  | 'plain'
  | 'h2'
  | 'h2-h2'
  | 'realistic'
  | 'realistic-traffic'
  | 'tcp'
  | 'large'
  | 'tls'
  | PairShape
  | HboneShape
  | PolicyShape
  | TracedShape
  | HostsShape;
/** Plain, with a tracer that samples one request in a hundred: what the others cost is what counts. */
export type TracedShape = 'traced-zipkin' | 'traced-opentelemetry';
/** Realistic, with a filter that asks who may do what. */
export type PolicyShape = (typeof policyShapes)[number];
export const policyShapes = ['realistic-rbac', 'realistic-jwt', 'realistic-jwt-cached', 'realistic-ext-authz'] as const;
export type PairShape = 'mtls-h1' | 'mtls-h2';
export type HboneShape = 'hbone' | 'hbone-handshakes';
/** A cluster of very many hosts, by how one of them is chosen. */
export type HostsShape = (typeof hostsShapes)[number];
export const hostsShapes = [
  'hosts-round-robin',
  'hosts-least-request',
  'hosts-ring-hash',
  'hosts-maglev',
  'hosts-subsets',
] as const;

export function isPair(shape: Shape): shape is PairShape {
  return shape === 'mtls-h1' || shape === 'mtls-h2';
}

export function isHbone(shape: Shape): shape is HboneShape {
  return shape === 'hbone' || shape === 'hbone-handshakes';
}

/** Where a proxy under test lives for one run. */
export interface Place {
  readonly listenPort: number;
  readonly adminPort: number;
  readonly upstreamPort: number;
  /** An authorization server by gRPC. */
  readonly authorizationPort: number;
  /** Of a pair: in front of the client, or of the upstream. */
  readonly side: 'out' | 'in';
  readonly certificates: CertificateFiles;
  /** Of who certifies node proxies; empty: nobody. */
  readonly authorityRoot: string;
  /** A directory of its own, for its configuration and logs. */
  readonly directory: string;
}

/** A proxy that is measured. */
export interface Target {
  readonly name: string;
  /** Why it cannot run here, or null. */
  unavailable(): string | null;
  supports(shape: Shape): boolean;
  /** Writes its configuration into the place and gives the command that serves it. */
  prepare(shape: Shape, place: Place, workers: number): readonly string[];
}
