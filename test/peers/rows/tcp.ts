import { cluster, tcp } from '../config.ts';
import type { Group, Row } from '../row.ts';

function behaviour(name: string, upstream: string, rows: readonly Row[], settings = ''): Group {
  return {
    name: `tcp_proxy: ${name}`,
    config: tcp(`cluster: ${upstream}\n${settings}`, [cluster(upstream, [upstream])]),
    rows,
  };
}

const exchange: Pick<Row, 'until' | 'answers' | 'waitMs' | 'logLines'> = {
  until: 'closed',
  answers: 0,
  waitMs: 1500,
  logLines: 1,
};

/** The kernel turns a close into a reset when the client's bytes had arrived unread, which is a race. */
const unread = /\.end$/;

export const tcpProxy: readonly Group[] = [
  behaviour('echo', 'echo', [
    { name: 'bytes come back', raw: ['hello ', 20, 'world', 50, 'end'], ...exchange },
    { name: '300 KB', raw: ['x'.repeat(300_000), 'end'], ...exchange },
    { name: 'nothing but an end', raw: ['end'], ...exchange },
    { name: 'client resets', raw: ['abc', 100, 'reset'], ...exchange },
  ]),
  behaviour('the upstream speaks first', 'greet', [
    { name: 'greeting', raw: [100, 'quit\r\n', 50, 'end'], ...exchange },
  ]),
  behaviour('half-close', 'count', [
    { name: 'answer after the client has ended', raw: ['12345', 50, '67890', 'end'], ...exchange },
  ]),
  behaviour('the upstream closes', 'bye', [{ name: 'after its answer', raw: ['hello'], ...exchange }]),
  behaviour('the upstream resets', 'slam', [{ name: 'on the first bytes', raw: ['hello'], ...exchange }]),
  behaviour('refused', 'dead', [{ name: 'once', raw: ['hello'], ...exchange, ignores: unread }]),
  behaviour(
    'refused three times',
    'dead',
    [{ name: 'three attempts', raw: ['hello'], ...exchange, ignores: unread }],
    'max_connect_attempts: 3',
  ),
  behaviour('connect timeout', 'silent', [{ name: 'after 250 ms', raw: ['hello'], ...exchange }]),
  behaviour('idle', 'echo', [{ name: 'closed after 300 ms', raw: ['hello'], ...exchange }], 'idle_timeout: 0.3s'),
  behaviour(
    'longest duration',
    'echo',
    [{ name: 'closed after 300 ms', raw: ['a', 100, 'b', 100, 'c'], ...exchange }],
    'max_downstream_connection_duration: 0.3s',
  ),
  {
    name: 'tcp_proxy: weighted clusters',
    config: tcp('{ weighted_clusters: { clusters: [{ name: echo, weight: 5 }] } }', [
      cluster('echo', ['echo']),
      cluster('bye', ['bye']),
    ]),
    rows: [{ name: 'one cluster', raw: ['abc', 50, 'end'], ...exchange }],
  },
  {
    name: 'tcp_proxy: no endpoints',
    config: tcp('{ cluster: empty }', [cluster('empty', [])]),
    rows: [{ name: 'closed', raw: ['abc'], ...exchange, ignores: unread }],
  },
];
