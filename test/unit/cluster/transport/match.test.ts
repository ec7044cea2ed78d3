import { expect, test } from 'vitest';
import { matchTransport } from '../../../../src/cluster/transport/match.ts';
import { rawSocket, type TransportData } from '../../../../src/cluster/transport/transport-data.ts';

const named = (name: string, match: TransportData['match']): TransportData => ({ name, match, socket: rawSocket });
const said = (fields: object): Record<string, unknown> => ({ 'envoy.transport_socket_match': fields });

const transports = [
  named('default', null),
  named('both', { tlsMode: 'istio', zone: { a: [1] } }),
  named('istio', { tlsMode: 'istio' }),
  named('again', { tlsMode: 'istio' }),
  named('off', { tlsMode: 'disabled' }),
];

test.each([
  ['the first match is taken', said({ tlsMode: 'istio', more: 1 }), null, 2],
  ['every field counts, whole', said({ tlsMode: 'istio', zone: { a: [1] } }), null, 1],
  ['a field of another value is no match', said({ tlsMode: 'none' }), null, 0],
  ['other namespaces say nothing', { 'envoy.lb': { tlsMode: 'istio' } }, null, 0],
  ['the host goes before its locality', said({ tlsMode: 'disabled' }), said({ tlsMode: 'istio' }), 4],
  ['the locality speaks for hosts that match nothing', said({}), said({ tlsMode: 'istio' }), 2],
  ['nobody says anything', null, null, 0],
])('%s', (_, host, locality, index) => {
  expect(matchTransport(transports, host, locality)).toBe(index);
});

test('no fields match every host', () => {
  expect(matchTransport([named('default', null), named('all', {})], null, null)).toBe(1);
});
