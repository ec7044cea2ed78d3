import { fromJson, toBinary, type JsonValue } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { Reasons } from '../../../../src/core/rejection.ts';
import type { AdmissionControlData } from '../../../../src/filter/admission-control/admission-control-data.ts';
import type { AdmissionControl } from '../../../../src/filter/admission-control/admission-control.ts';
import { admissionControlBuilder } from '../../../../src/filter/admission-control/build.ts';
import { admissionControlDecoder } from '../../../../src/filter/admission-control/decode.ts';
import { AdmissionControlSchema } from '../../../../src/proto/envoy/extensions/filters/http/admission_control/v3/admission_control_pb.js';
import { filterContext } from '../filter-fixture.ts';

function decode(json: JsonValue): { data: AdmissionControlData; reasons: string[] } {
  const reasons = new Reasons('own');
  const bytes = toBinary(AdmissionControlSchema, fromJson(AdmissionControlSchema, json));
  const data = admissionControlDecoder.decode(bytes, reasons, { open: () => null }) as AdmissionControlData;
  return { data, reasons: reasons.list.map(({ path, message }) => `${path}: ${message}`) };
}

function control(json: Record<string, JsonValue>, random: number): AdmissionControl {
  const { data, reasons } = decode({ success_criteria: {}, ...json });
  expect(reasons).toEqual([]);
  return admissionControlBuilder.build(data, { ...filterContext(), random: () => random }) as AdmissionControl;
}

describe('decoding', () => {
  test('fills in what Envoy does', () => {
    const { data } = decode({ success_criteria: {} });
    expect(data).toMatchObject({ windowMs: 30_000, aggression: { value: 1 }, successThreshold: { value: 95 } });
    expect(data).toMatchObject({ rpsThreshold: { value: 0 }, rejectionMax: { value: 80 }, httpSuccess: null });
    expect(structuredClone(data)).toEqual(data);
  });

  test('refuses what Envoy does', () => {
    expect(decode({})).toMatchObject({
      reasons: ['own.success_criteria: is required'],
    });
    const { reasons } = decode({
      sr_threshold: { default_value: { value: 0.5 } },
      success_criteria: {
        http_criteria: { http_success_status: [{ start: 300, end: 200 }] },
        grpc_criteria: { grpc_success_status: [17] },
      },
    });
    expect(reasons).toEqual([
      'own.sr_threshold: Success rate threshold cannot be less than 1.0%.',
      'own.success_criteria.http_criteria.http_success_status[0]: invalid HTTP range: [300, 200)',
      'own.success_criteria.grpc_criteria.grpc_success_status[0]: invalid gRPC code 17',
    ]);
  });
});

describe('the chance to be turned away', () => {
  test('is none without failures, and grows with them', () => {
    const never = control({}, 0);
    expect(never.rejects(0)).toBe(false);
    never.record(true, 0);
    expect(never.rejects(0)).toBe(false);
    for (let i = 0; i < 3; i++) never.record(false, 0);
    expect(never.rejects(0)).toBe(true);
    expect(never.rejects(60_000)).toBe(false);
  });

  test.each([
    // Of four requests one went well: (4 - 1 / 0.95) / 5.
    [{}, 0.58, true],
    [{}, 0.59, false],
    [{ aggression: { default_value: 2, runtime_key: '' } }, 0.76, true],
    [{ aggression: { default_value: 2, runtime_key: '' } }, 0.77, false],
    [{ max_rejection_probability: { default_value: { value: 10 } } }, 0.11, false],
    [{ max_rejection_probability: { default_value: { value: 10 } } }, 0.09, true],
    [{ rps_threshold: { default_value: 5, runtime_key: '' } }, 0, false],
    [{ rps_threshold: { default_value: 4, runtime_key: '' } }, 0, true],
  ])('%j at %d', (json, random, expected) => {
    const some = control(json, random);
    for (const isSuccess of [true, false, false, false]) some.record(isSuccess, 0);
    expect(some.rejects(0)).toBe(expected);
  });
});

test.each([
  ['0', true],
  ['16', true],
  ['13', false],
  ['', false],
  ['0x0', false],
])('gRPC status %j', (status, expected) => {
  expect(control({}, 0).isGrpcSuccess(status)).toBe(expected);
});
