import { create, type JsonObject } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { Reasons } from '../../../../src/core/rejection.ts';
import { decodeLogPattern } from '../../../../src/observe/log/decode.ts';
import { Bootstrap_ApplicationLogConfigSchema } from '../../../../src/proto/envoy/config/bootstrap/v3/bootstrap_pb.js';

function decode(format: { text: string } | { json: JsonObject }, isOnCommandLine = false) {
  const reasons = new Reasons('application_log_config');
  const logFormat =
    'text' in format
      ? ({ case: 'textFormat', value: format.text } as const)
      : ({ case: 'jsonFormat', value: format.json } as const);
  const config = create(Bootstrap_ApplicationLogConfigSchema, { logFormat: { logFormat } });
  return { pattern: decodeLogPattern(config, isOnCommandLine, reasons), reasons: reasons.list };
}

test('text and JSON formats become patterns', () => {
  expect(decode({ text: '%l %v' })).toEqual({ pattern: '%l %v', reasons: [] });
  expect(decode({ json: { L: '%l', M: '%j', n: 5 } }).pattern).toBe('{"L":"%l","M":"%j","n":5}');
  expect(decodeLogPattern(undefined, false, new Reasons())).toBeNull();
});

test('JSON needs the escaped message', () => {
  expect(decode({ json: { M: '%v' } }).reasons).toEqual([
    {
      path: 'application_log_config.log_format.json_format',
      message: 'Usage of %v is unavailable for JSON log formats; use %j',
    },
  ]);
});

test('a format here and on the command line is a conflict, as in Envoy', () => {
  expect(decode({ text: '%v' }, true).reasons).toHaveLength(1);
});
