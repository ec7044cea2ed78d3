import type { Headers } from '../../../core/headers.ts';
import { NameTable } from '../../../core/name-table.ts';
import { clientCertHeader } from './forwarded-client-cert.ts';

/** What the connection manager does with a header of this name. Bits, so that a scan can say which kinds it met. */
export const HeaderKind = {
  /** Hop by hop, and `x-envoy-internal`: never trusted, always taken out. */
  Drop: 1 << 0,
  /** Taken out unless the request is internal. */
  InternalOnly: 1 << 1,
  /** Taken out where the request enters the mesh: external, with use_remote_address. */
  EdgeOnly: 1 << 2,
  /** `connection` and `upgrade`: stay only together. */
  Connection: 1 << 3,
  Upgrade: 1 << 4,
  Te: 1 << 5,
  Referer: 1 << 6,
  ForwardedFor: 1 << 7,
  ForwardedProto: 1 << 8,
  ForwardedPort: 1 << 9,
  RequestId: 1 << 10,
  UserAgent: 1 << 11,
  Via: 1 << 12,
  ExternalAddress: 1 << 13,
  /** Taken out where the client has presented no certificate, unless it is always passed on. */
  ClientCert: 1 << 14,
  /** Not a kind of header: a scan met one of the kinds that must be single more than once. */
  Repeated: 1 << 30,
} as const;

const hopByHop = ['keep-alive', 'proxy-connection', 'transfer-encoding', 'x-envoy-internal'];

const internalOnly = [
  'x-envoy-retriable-status-codes',
  'x-envoy-retriable-header-names',
  'x-envoy-retry-on',
  'x-envoy-retry-grpc-on',
  'x-envoy-max-retries',
  'x-envoy-upstream-alt-stat-name',
  'x-envoy-upstream-rq-timeout-ms',
  'x-envoy-upstream-rq-per-try-timeout-ms',
  'x-envoy-upstream-rq-timeout-alt-response',
  'x-envoy-expected-rq-timeout-ms',
  'x-envoy-force-trace',
  'x-envoy-ip-tags',
  'x-envoy-original-url',
  'x-envoy-hedge-on-per-try-timeout',
];

const edgeOnly = [
  'x-envoy-decorator-operation',
  'x-envoy-downstream-service-cluster',
  'x-envoy-downstream-service-node',
  'x-envoy-original-path',
  'x-envoy-original-host',
];

const single: readonly (readonly [string, number])[] = [
  ['connection', HeaderKind.Connection],
  ['upgrade', HeaderKind.Upgrade],
  ['te', HeaderKind.Te],
  ['referer', HeaderKind.Referer],
  ['x-forwarded-for', HeaderKind.ForwardedFor],
  ['x-forwarded-proto', HeaderKind.ForwardedProto],
  ['x-forwarded-port', HeaderKind.ForwardedPort],
  ['x-request-id', HeaderKind.RequestId],
  ['user-agent', HeaderKind.UserAgent],
  ['via', HeaderKind.Via],
  ['x-envoy-external-address', HeaderKind.ExternalAddress],
  [clientCertHeader, HeaderKind.ClientCert],
];

/** By name, 0 for most. `extraInternal`: the route configuration's internal_only_headers, lower-case. */
export function compileHeaderKinds(extraInternal: readonly string[], dropsClientCert: boolean): NameTable<number> {
  const kinds = new Map<string, number>();
  for (const name of extraInternal) kinds.set(name, HeaderKind.InternalOnly);
  for (const name of internalOnly) kinds.set(name, HeaderKind.InternalOnly);
  for (const name of edgeOnly) kinds.set(name, HeaderKind.EdgeOnly);
  for (const name of hopByHop) kinds.set(name, HeaderKind.Drop);
  if (dropsClientCert) kinds.set(clientCertHeader, HeaderKind.Drop);
  for (const [name, kind] of single) kinds.set(name, kind | (kinds.get(name) ?? 0));
  return new NameTable(kinds, () => 0);
}

/** Takes every header out whose kind is in `mask`. */
export function removeKinds(headers: Headers, kinds: NameTable<number>, mask: number): void {
  const { names, values, rawNames } = headers;
  let kept = 0;
  kinds.begin();
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    if ((kinds.get(name) & mask) !== 0) continue;
    if (kept !== i) {
      names[kept] = name;
      values[kept] = values[i]!;
      if (rawNames !== null) rawNames[kept] = rawNames[i]!;
    }
    kept++;
  }
  headers.cut(kept);
}

/** Joins repeated fields at the place of the first with `,`, as Envoy's header map does for those it has a place for. */
export function joinRepeated(headers: Headers): void {
  for (const [name] of single) {
    const first = headers.indexOf(name);
    if (first < 0 || headers.indexOf(name, first + 1) < 0) continue;
    headers.set(name, headers.getAll(name).join(','));
  }
}
