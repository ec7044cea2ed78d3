import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import type { Extensions } from '../../../../src/core/extension.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import { faultDecoder } from '../../../../src/filter/fault/decode.ts';
import type { FaultData } from '../../../../src/filter/fault/fault-data.ts';
import { HTTPFaultSchema } from '../../../../src/proto/envoy/extensions/filters/http/fault/v3/fault_pb.js';

const none: Extensions = {
  open: () => {
    throw new Error('a fault names no extension');
  },
};

function decode(init: MessageInitShape<typeof HTTPFaultSchema>): [FaultData, string[]] {
  const reasons = new Reasons();
  const bytes = toBinary(HTTPFaultSchema, create(HTTPFaultSchema, init));
  const data = faultDecoder.decode(bytes, reasons, none) as FaultData;
  return [data, reasons.list.map(({ message }) => message)];
}

describe('a fault', () => {
  test('that says nothing does nothing, and has no limit', () => {
    const [data, reasons] = decode({});
    expect(reasons).toEqual([]);
    expect(data).toMatchObject({ delay: null, abort: null, responseRateLimit: null, upstreamCluster: '' });
    expect(data.maxActiveFaults).toBeGreaterThan(2 ** 31);
    expect(structuredClone(data)).toEqual(data);
  });

  test('has its own runtime keys, or Envoy’s', () => {
    expect(decode({})[0].runtimeKeys.delayPercent).toBe('fault.http.delay.fixed_delay_percent');
    expect(decode({ delayPercentRuntime: 'mine' })[0].runtimeKeys.delayPercent).toBe('mine');
  });

  test('delays and aborts by number or by header', () => {
    const percentage = { numerator: 5, denominator: 1 };
    const [fixed] = decode({
      delay: { faultDelaySecifier: { case: 'fixedDelay', value: { seconds: 1n, nanos: 500_000_000 } }, percentage },
      abort: { errorType: { case: 'grpcStatus', value: 14 } },
      maxActiveFaults: 3,
    });
    expect(fixed.delay).toEqual({ fixedMs: 1500, percentage: { numerator: 5, denominator: 10_000 } });
    expect(fixed.abort).toMatchObject({ fromHeaders: false, grpcStatus: 14, percentage: { numerator: 0 } });
    expect(fixed.maxActiveFaults).toBe(3);
    const [asked] = decode({
      delay: { faultDelaySecifier: { case: 'headerDelay', value: {} } },
      abort: { errorType: { case: 'headerAbort', value: {} } },
    });
    expect([asked.delay?.fixedMs, asked.abort?.fromHeaders]).toEqual([-1, true]);
  });
});
