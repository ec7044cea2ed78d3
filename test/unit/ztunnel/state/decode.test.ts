import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { decodeAddress } from '../../../../src/ztunnel/state/address-decode.ts';
import { decodeAuthorization } from '../../../../src/ztunnel/state/authorization-decode.ts';
import { dumpPolicy, dumpService, dumpWorkload } from '../../../../src/ztunnel/state/dump.ts';
import { Mesh } from '../../../../src/ztunnel/state/mesh.ts';

const folder = join(import.meta.dirname, '../../../fixtures/ztunnel/wds');

interface Recorded {
  readonly file: string;
  readonly typeUrl: string;
  readonly meaning: unknown;
}

const recorded = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as Recorded[];
const bytes = (file: string): Uint8Array => readFileSync(join(folder, file));

test.each(recorded.filter(({ meaning }) => typeof meaning === 'object' && meaning !== null))(
  '$file means what its index says',
  ({ file, typeUrl, meaning }) => {
    expect(decodedDump(typeUrl, bytes(file))).toMatchObject(meaningDump(meaning as Record<string, unknown>));
  },
);

test('an address of a wrong length is refused', () => {
  expect(() => decodeAddress(bytes('address-workload-bad-ip.bin'))).toThrow('an address of');
});

function decodedDump(typeUrl: string, packed: Uint8Array): unknown {
  if (typeUrl.endsWith('Authorization')) return dumpPolicy(decodeAuthorization(packed));
  const decoded = decodeAddress(packed);
  return decoded.kind === 'workload' ? dumpWorkload(decoded.workload) : dumpService(decoded.service, new Mesh());
}

/** The index has the words of the local form, which are those of the dump but for a few. */
function meaningDump(meaning: Record<string, unknown>): Record<string, unknown> {
  const { services: _, ...rest } = meaning;
  return Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== ''));
}
