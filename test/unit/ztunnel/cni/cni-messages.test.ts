import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CniError, cniAck, cniHello, readCniRequest } from '../../../../src/ztunnel/cni/cni-messages.ts';

const recorded = (name: string): Uint8Array =>
  readFileSync(join(import.meta.dirname, '../../../fixtures/ztunnel/zds', `${name}.bin`));

test('what the CNI plugin says', () => {
  const added = readCniRequest(recorded('add'));
  expect(added).toMatchObject({ kind: 'add', info: { namespace: expect.any(String) as string } });
  expect(added.kind === 'add' && added.uid !== '' && added.info.name !== '').toBe(true);
  expect(readCniRequest(recorded('del'))).toMatchObject({ kind: 'delete', uid: expect.stringMatching(/./) as string });
  expect(readCniRequest(recorded('keep'))).toMatchObject({ kind: 'keep', uid: expect.stringMatching(/./) as string });
  expect(readCniRequest(recorded('snapshot-sent'))).toEqual({ kind: 'snapshot-sent' });
});

test('what it is told', () => {
  expect(Buffer.from(cniHello())).toEqual(recorded('hello'));
  expect(Buffer.from(cniAck(''))).toEqual(recorded('ack-ok'));
  const error = Buffer.from(recorded('ack-error')).toString('latin1').slice(4);
  expect(Buffer.from(cniAck(error))).toEqual(recorded('ack-error'));
  expect(cniAck('x'.repeat(5000)).length).toBeLessThan(1024);
});

test.each([
  ['nothing', []],
  ['a cut-off message', [0x0a, 0x10, 0x01]],
  ['another message', [0x32, 0x00]],
  ['a workload without info', [0x0a, 0x03, 0x0a, 0x01, 0x61]],
])('%s is refused', (_what, bytes) => {
  expect(() => readCniRequest(Uint8Array.from(bytes))).toThrow(CniError);
});
