import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, missing } from '../../test/peers/binaries.ts';
import { isHbone, isPair, type PairShape, type Place, type Shape, type Target } from '../target.ts';
import { clusterOf, realistic } from './workload.ts';

/** HAProxy with one thread. */
export const haproxy: Target = {
  name: 'haproxy',
  unavailable: () => (findProgram('haproxy') === null ? missing('haproxy') : null),
  supports: (shape) =>
    !isHbone(shape) && shape !== 'large' && !shape.startsWith('realistic-') && !shape.startsWith('hosts-'),
  prepare(shape, place, workers) {
    const file = join(place.directory, 'haproxy.cfg');
    writeFileSync(file, configuration(shape, place, workers));
    return [findProgram('haproxy') ?? 'haproxy', '-db', '-f', file];
  },
};

function configuration(shape: Shape, place: Place, workers: number): string {
  return `
global
  nbthread ${workers}
  maxconn 9000
${shape === 'realistic' ? '  log stdout format raw local0 info' : ''}
defaults
  mode ${shape === 'tcp' ? 'tcp' : 'http'}
  timeout connect 1s
  timeout client 3600s
  timeout server 3600s
  timeout http-keep-alive 3600s
  ${shape === 'tcp' ? '' : 'http-reuse always'}
${shape === 'realistic' ? realisticProxies(place) : plain(shape, place)}
`;
}

function plain(shape: Shape, place: Place): string {
  const { downstream, upstream } = isPair(shape) ? sidecar(shape, place) : ends(shape, place);
  return `
frontend ingress
  bind 127.0.0.1:${place.listenPort} backlog 4096${downstream}
  default_backend backend
backend backend
  server s1 127.0.0.1:${place.upstreamPort}${upstream}`;
}

/** What `bind` and `server` say besides. */
function ends(shape: Shape, place: Place): { downstream: string; upstream: string } {
  if (shape === 'tls') return { downstream: ` ssl crt ${place.certificates.in.both} alpn http/1.1`, upstream: '' };
  const downstream = shape === 'h2' || shape === 'h2-h2' ? ' proto h2' : '';
  return { downstream, upstream: shape === 'h2-h2' ? ' proto h2' : '' };
}

function sidecar(shape: PairShape, { side, certificates }: Place): { downstream: string; upstream: string } {
  const alpn = shape === 'mtls-h2' ? 'h2' : 'http/1.1';
  const trust = `ssl crt ${certificates[side].both} ca-file ${certificates.ca} alpn ${alpn} ssl-min-ver TLSv1.3`;
  if (side === 'in') return { downstream: ` ${trust} verify required`, upstream: '' };
  return { downstream: '', upstream: ` ${trust} verify required verifyhost bench.example.com` };
}

function realisticProxies(place: Place): string {
  const hosts = join(place.directory, 'hosts.map');
  writeFileSync(hosts, realistic.hosts.map((host, index) => `${host} ${clusterOf(index)}\n`).join(''));
  const rewrites = realistic.prefixes.map(
    (prefix, n) => `http-request set-path %[path,regsub(^${prefix},/api/${n}/)] if { path_beg ${prefix} }`,
  );
  const log = [
    ['start_time', '%trl'],
    ['method', '%HM'],
    ['path', '%HPO'],
    ['protocol', '%HV'],
    ['response_code', '%ST'],
    ['response_flags', '%tsc'],
    ['bytes_received', '%U'],
    ['bytes_sent', '%B'],
    ['duration', '%Ta'],
    ['upstream_service_time', '%Tr'],
    ['user_agent', '%[capture.req.hdr(0),json(utf8s)]'],
    ['request_id', '%ID'],
    ['authority', '%[capture.req.hdr(1),json(utf8s)]'],
    ['upstream_host', '%si:%sp'],
    ['upstream_cluster', '%b'],
  ].map(([name, value]) => `\\"${name}\\":\\"${value}\\"`);
  return `
frontend ingress
  bind 127.0.0.1:${place.listenPort} backlog 4096
  log global
  log-format "{${log.join(',')}}"
  unique-id-format %{+X}o%ci:%cp_%fi:%fp_%Ts_%rt:%pid
  unique-id-header x-request-id
  option forwardfor
  http-request capture req.hdr(user-agent) len 128
  http-request capture req.hdr(host) len 64
  http-request set-header x-forwarded-proto http
  http-request set-header x-gateway bench
  http-request set-header x-client-address %[src]
  http-request del-header x-internal-secret
  http-response set-header strict-transport-security max-age=31536000
  http-response del-header x-powered-by
  use_backend %[req.hdr(host),lower,map(${hosts})]
${Array.from({ length: realistic.clusters }, (_, index) => realisticBackend(index, place, rewrites)).join('\n')}`;
}

function realisticBackend(index: number, place: Place, rewrites: readonly string[]): string {
  return `
backend ${clusterOf(index)}
  retries ${realistic.retries}
  retry-on conn-failure empty-response 500 502 503 504
  option redispatch
  ${rewrites.join('\n  ')}
  server s1 127.0.0.1:${place.upstreamPort} maxconn 8000`;
}
