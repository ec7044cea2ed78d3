import { http } from '../../config.ts';
import type { Group, Step } from '../../row.ts';
import { checked, flags, onlyHealth, steadyStats } from './config.ts';

const pair = 'cluster.pair.membership_';
const failing: Step = { status: 503 };

const states: Group = {
  name: 'active checks over HTTP',
  stats: steadyStats,
  config: http({ routes: '[{ match: { prefix: / }, route: { cluster: pair } }]' }, [
    checked(
      'pair',
      ['one', 'two'],
      `
http_health_check:
  path: /healthz
  host: checks.test
  expected_statuses: [{ start: 200, end: 205 }]
  retriable_statuses: [{ start: 429, end: 431 }]
  request_headers_to_add: [{ header: { key: x-check, value: 'yes' } }]
  request_headers_to_remove: [x-none]
event_logger:
- name: file
  typed_config:
    '@type': type.googleapis.com/envoy.extensions.health_check.event_sinks.file.v3.HealthCheckEventFileSink
    event_log_path: '{{log}}'`,
    ),
  ]),
  rows: [
    {
      name: 'hosts that pass',
      admin: flags('pair'),
      awaits: { [`${pair}healthy`]: 2, 'cluster.pair.health_check.success': '+2' },
      seesChecks: true,
      ignores: onlyHealth,
    },
    { name: 'requests go to both', request: [{}, {}], logLines: 2, ignores: /upstream\[|host|body|^log/ },
    {
      name: 'a host fails, and is said to',
      admin: flags('pair'),
      health: { one: failing },
      awaits: { [`${pair}healthy`]: 1 },
      logLines: 1,
      ignores: /^admin\.line (?!.*health_flags)|timestamp/,
    },
    { name: 'requests go to the other', request: [{}, {}, {}], ignores: /^log/ },
    {
      name: 'a host comes back, and is said to',
      admin: flags('pair'),
      health: {},
      awaits: { [`${pair}healthy`]: 2 },
      logLines: 1,
      ignores: /^admin\.line (?!.*health_flags)|timestamp/,
    },
    {
      name: 'another status that is expected',
      admin: flags('pair'),
      health: { one: { status: 204, body: '' } },
      awaits: { 'cluster.pair.health_check.success': '+4', [`${pair}healthy`]: 2 },
      ignores: onlyHealth,
    },
    {
      name: 'a status that may be tried again fails in the end',
      admin: flags('pair'),
      health: { two: { status: 429 } },
      awaits: { [`${pair}healthy`]: 1, 'cluster.pair.health_check.failure': '+2' },
      logLines: 1,
      ignores: /^admin\.line (?!.*health_flags)|timestamp/,
    },
    {
      name: 'both fail: nobody is there',
      request: {},
      health: { one: failing, two: failing },
      awaits: { [`${pair}healthy`]: 0 },
      ignores: /^log/,
    },
    { name: 'no flag but the failure', admin: flags('pair'), ignores: onlyHealth },
    {
      name: 'degraded',
      admin: flags('pair'),
      health: { one: { headers: [['x-envoy-degraded', 'true']] } },
      awaits: { [`${pair}healthy`]: 1, [`${pair}degraded`]: 1 },
      ignores: onlyHealth,
    },
    {
      name: 'degraded, and the other fails',
      request: [{}, {}],
      health: { one: { headers: [['x-envoy-degraded', 'true']] }, two: failing },
      awaits: { [`${pair}healthy`]: 0, [`${pair}degraded`]: 1 },
      ignores: /^log/,
    },
    {
      name: 'no longer degraded',
      admin: flags('pair'),
      health: {},
      awaits: { [`${pair}healthy`]: 2, [`${pair}degraded`]: 0 },
      ignores: onlyHealth,
    },
    {
      name: 'asks to be left out while it fails',
      admin: flags('pair'),
      health: { two: { status: 503, headers: [['x-envoy-immediate-health-check-fail', 'true']] } },
      awaits: { [`${pair}healthy`]: 1, [`${pair}excluded`]: 1 },
      ignores: onlyHealth,
    },
    {
      name: 'is counted again',
      admin: flags('pair'),
      health: {},
      awaits: { [`${pair}healthy`]: 2, [`${pair}excluded`]: 0 },
      ignores: onlyHealth,
    },
    {
      name: 'asks to be left out and passes',
      admin: flags('pair'),
      health: { two: { headers: [['x-envoy-immediate-health-check-fail', 'true']] } },
      awaits: { [`${pair}healthy`]: 2, 'cluster.pair.health_check.success': '+4' },
      ignores: onlyHealth,
    },
    {
      name: 'closes the connection of the check',
      admin: flags('pair'),
      health: { one: { raw: '', ending: 'close' } },
      awaits: { [`${pair}healthy`]: 1, 'cluster.pair.health_check.network_failure': '+2' },
      ignores: onlyHealth,
    },
    {
      name: 'closes behind each check',
      admin: flags('pair'),
      health: { one: { headers: [['connection', 'close']] } },
      awaits: { [`${pair}healthy`]: 2, 'cluster.pair.health_check.success': '+4' },
      ignores: onlyHealth,
    },
    {
      name: 'says no HTTP',
      admin: flags('pair'),
      health: { one: { raw: 'no\r\n\r\n', ending: 'close' } },
      awaits: { [`${pair}healthy`]: 1 },
      ignores: onlyHealth,
    },
    {
      name: 'comes back from that',
      admin: flags('pair'),
      health: {},
      awaits: { [`${pair}healthy`]: 2 },
      ignores: onlyHealth,
    },
    {
      name: 'an answer to a request asks for no more',
      request: {},
      upstream: [{ headers: [['x-envoy-immediate-health-check-fail', 'true']] }],
      ignores: /upstream\[|host|body|^log|^stats/,
    },
    {
      name: 'and is heard',
      admin: flags('pair'),
      awaits: { 'cluster.pair.health_check.passive_failure': 1, [`${pair}healthy`]: 2, [`${pair}excluded`]: 0 },
      ignores: onlyHealth,
    },
  ],
};

const slow: Group = {
  name: 'active checks that take too long',
  stats: steadyStats,
  config: http({ routes: '[{ match: { prefix: / }, route: { cluster: pair } }]' }, [
    checked('pair', ['one', 'two'], 'http_health_check: { path: /healthz }', '{}', '0.2s'),
  ]),
  rows: [
    {
      name: 'too slow',
      admin: flags('pair'),
      health: { one: { delayMs: 1000 } },
      awaits: { [`${pair}healthy`]: 1 },
      ignores: onlyHealth,
    },
    { name: 'in time again', admin: flags('pair'), health: {}, awaits: { [`${pair}healthy`]: 2 }, ignores: onlyHealth },
  ],
};

export const activeChecks: readonly Group[] = [states, slow];
