import { http } from '../../config.ts';
import type { Group } from '../../row.ts';
import { clientTls, trusting } from '../../tls/config.ts';
import { checked, flags, onlyHealth, steadyStats } from './config.ts';

const path = 'http_health_check: { path: /healthz }';

const checks: Group = {
  name: 'active checks over TLS',
  stats: steadyStats,
  origins: { secure: { certificate: 'server' } },
  config: http({ routes: '[{ match: { prefix: / }, route: { cluster: secure } }]' }, [
    { ...checked('secure', ['secure'], path), transport_socket: clientTls([], trusting(), '{ sni: server.test }') },
    {
      ...checked('alpn', ['secure'], `${path}\ntls_options: { alpn_protocols: [http/1.1] }`),
      transport_socket: clientTls(),
    },
    {
      ...checked('chosen', ['secure'], `${path}\ntransport_socket_match_criteria: { check: true }`),
      transport_socket_matches: [{ name: 'checks', match: { check: true }, transport_socket: clientTls() }],
    },
    checked('plain', ['secure'], path),
  ]),
  rows: [
    {
      name: 'as its hosts are spoken to',
      admin: flags('secure'),
      awaits: { 'cluster.secure.membership_healthy': 1 },
      seesChecks: true,
      ignores: /^admin\.line (?!.*health_flags)|^check/,
    },
    // Envoy takes up the session of a check.
    { name: 'a request', ignores: /tls\.(reused|sni)$/ },
    { name: 'ALPN', admin: flags('alpn'), awaits: { 'cluster.alpn.membership_healthy': 1 }, ignores: onlyHealth },
    {
      name: 'a transport socket of its own',
      admin: flags('chosen'),
      awaits: { 'cluster.chosen.membership_healthy': 1 },
      ignores: onlyHealth,
    },
    {
      name: 'without TLS',
      admin: flags('plain'),
      awaits: { 'cluster.plain.membership_healthy': 0, 'cluster.plain.health_check.failure': '+1' },
      ignores: onlyHealth,
    },
  ],
};

export const tlsChecks: readonly Group[] = [checks];
