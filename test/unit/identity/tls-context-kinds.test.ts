import { expect, test } from 'vitest';
import { downstreamTlsKind, namesTls, upstreamTlsKind } from '../../../src/identity/tls-context-kinds.ts';

test('a configuration has TLS where it names a context of either end', () => {
  expect([[], ['a.B'], ['a.B', downstreamTlsKind], [upstreamTlsKind]].map(namesTls)).toEqual([
    false,
    false,
    true,
    true,
  ]);
});
