import type { Group, Row } from '../../row.ts';
import { asking, denied, ok } from './ext-authz-config.ts';

const service =
  "grpc_service: { google_grpc: { target_uri: '127.0.0.1:{{two}}', stat_prefix: authz }, initial_metadata: [{ key: x-from, value: here }], timeout: 2s }";

const rows: readonly Row[] = [
  { name: 'ok', upstream: [ok(), {}] },
  { name: 'denied', upstream: [denied({ body: 'no' })] },
  {
    name: 'an error',
    upstream: [{ headers: [['content-type', 'application/grpc']], chunks: [], trailers: [['grpc-status', '13']] }],
  },
  { name: 'ok, by HTTP/2', over: 'h2', upstream: [ok(), {}] },
];

/** The library names itself, and what it could unpack; it counts the time in its own way. sekisho has a cluster for it. */
const ignores =
  /headers\.6\.rawValue|header\.(grpc-accept-encoding|grpc-timeout|user-agent)|stats\.cluster\.google_grpc_/;

export const googleGrpcGroups: readonly Group[] = [
  asking(
    'google_grpc',
    service,
    rows.map((row) => ({ stats: /ext_authz|^grpc\./, ignores, ...row })),
  ),
];
