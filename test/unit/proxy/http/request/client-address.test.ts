import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { formatAddress } from '../../../../../src/core/peer.ts';
import { Outcome } from '../../../../../src/observe/outcome.ts';
import type { HcmData, OriginalIpDetectionData } from '../../../../../src/proxy/http/hcm-data.ts';
import { RequestPreparation } from '../../../../../src/proxy/http/request/preparation.ts';
import { hcmData, lines, peer, ReadableStats, requestHead } from '../hcm-fixture.ts';

type Client = Partial<HcmData['client']>;
const local = { address: '127.0.0.0', length: 8 };
const ten = { address: '10.0.0.0', length: 8 };
const internal: Client = { internalCidrRanges: [ten, local] };
const xff = (changes: Partial<OriginalIpDetectionData & { kind: 'xff' }> = {}): OriginalIpDetectionData => ({
  kind: 'xff',
  numTrustedHops: 0,
  trustedCidrs: null,
  skipXffAppend: true,
  ...changes,
});
const header = (
  changes: Partial<OriginalIpDetectionData & { kind: 'custom-header' }> = {},
): OriginalIpDetectionData => ({
  kind: 'custom-header',
  header: 'x-real-ip',
  trusted: false,
  rejectStatus: 0,
  ...changes,
});

/** The connection managers of the observation. */
const clients: Record<string, Client> = {
  F0: {},
  F1: { xffNumTrustedHops: 1 },
  F2: { xffNumTrustedHops: 2 },
  F0i: internal,
  F1i: { ...internal, xffNumTrustedHops: 1 },
  T0: { useRemoteAddress: true },
  T1: { useRemoteAddress: true, xffNumTrustedHops: 1 },
  T2: { useRemoteAddress: true, xffNumTrustedHops: 2 },
  T0i: { ...internal, useRemoteAddress: true },
  T1i: { ...internal, useRemoteAddress: true, xffNumTrustedHops: 1 },
  T0s: { useRemoteAddress: true, skipXffAppend: true },
  T0is: { ...internal, useRemoteAddress: true, skipXffAppend: true },
  X0: { detection: [xff()] },
  X1n: { detection: [xff({ numTrustedHops: 1, skipXffAppend: false })] },
  XC: { detection: [xff({ trustedCidrs: [local, ten] })] },
  XCn: { detection: [xff({ trustedCidrs: [local, ten], skipXffAppend: false })] },
  XCu: { detection: [xff({ trustedCidrs: [ten] })] },
  CH: { detection: [header()] },
  CHt: { ...internal, detection: [header({ trusted: true })] },
  CHr: { detection: [header({ rejectStatus: 401 })] },
  CHr2: { detection: [header({ rejectStatus: 403 })] },
  CHX: { detection: [header(), xff({ numTrustedHops: 1 })] },
  P: {},
  TP: { useRemoteAddress: true },
  TP1: { useRemoteAddress: true, xffNumTrustedHops: 1 },
  S: {},
};

// What a real Envoy 1.39.3 did: connection manager by name, headers sent, the headers about the client that the upstream
// got (or the status of a refusal), %DOWNSTREAM_REMOTE_ADDRESS%, :scheme. The peer was 127.0.0.1, the machine 192.0.2.2.
type Row = [string, [string, string][], (string | number)[], string, string];
const rows = readFileSync(new URL('observed-client-addresses.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Row);

test.each(rows)('%s %j', (name, sent, expected, address, scheme) => {
  const data = hcmData({
    client: clients[name],
    requestId: { generate: false },
    forwarding: { appendXForwardedPort: /^T?P/.test(name), schemeToOverwrite: name === 'S' ? 'https' : '' },
  });
  const context = { stats: new ReadableStats(), localNode: { cluster: '', id: '' }, localAddress: '192.0.2.2' };
  const head = requestHead(sent);
  const outcome = new Outcome();
  const reject = new RequestPreparation(data, context).prepare(head, peer(), outcome);
  if (typeof expected[0] === 'number') {
    expect(reject).toMatchObject({ status: expected[0], details: 'rejecting_because_detection_failed' });
    expect(context.stats.values.get('downstream_rq_rejected_via_ip_detection')).toBe(1);
    return;
  }
  expect(reject).toBeNull();
  const upstream = lines(head.headers).filter((line) => !line.startsWith('x-real-ip'));
  expect(upstream).toEqual(expected.map((line) => String(line).replace('LOCAL_PORT', '10000')));
  expect(outcome.remoteAddress === null ? 'peer' : formatAddress(outcome.remoteAddress)).toBe(address);
  expect(outcome.isInternal).toBe(expected.includes('x-envoy-internal: true'));
  expect(head.scheme).toBe(scheme);
});

test('a peer that is not loopback is appended itself', () => {
  const data = hcmData({ client: { useRemoteAddress: true }, requestId: { generate: false } });
  const context = { stats: new ReadableStats(), localNode: { cluster: '', id: '' }, localAddress: '192.0.2.2' };
  const head = requestHead([['x-forwarded-for', '1.1.1.1']]);
  new RequestPreparation(data, context).prepare(head, peer('203.0.113.9'), new Outcome());
  expect(lines(head.headers)).toEqual([
    'x-forwarded-for: 1.1.1.1,203.0.113.9',
    'x-forwarded-proto: http',
    'x-envoy-external-address: 203.0.113.9',
  ]);
});
