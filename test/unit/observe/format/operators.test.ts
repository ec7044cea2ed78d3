import { describe, expect, it } from 'vitest';

import { compileJsonFormat, type FormatOptions } from '../../../../src/observe/format/format.ts';
import type { Outcome } from '../../../../src/observe/outcome.ts';
import { emptyOperators, operatorRows, type OperatorRow } from '../../../peers/access-log-operators.table.ts';
import { directStream, printed, refusedStream, tcpStream, upstreamStream } from './streams.ts';

const options: FormatOptions = {
  extensions: ['req_without_query'],
  context: { environment: { OBS_ENV: 'envvalue' }, hostname: 'vm', clock: null },
};

const otherwise = [
  // The streams in `streams.ts` have few of the headers.
  '%REQUEST_HEADERS_BYTES%',
  '%RESPONSE_HEADERS_BYTES%',
  // On HTTP/1 Envoy counts another subset of the head here; sekisho shows the head's size.
  '%UPSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED%',
];

function valueOf(format: string, outcome: Outcome): string {
  const line = printed(compileJsonFormat({ v: format }, options), outcome);
  return line.slice('{"v":'.length, -'}\n'.length);
}

describe('command operators print what Envoy printed', () => {
  const streams: readonly (readonly [keyof OperatorRow, () => Outcome])[] = [
    ['direct', directStream],
    ['upstream', upstreamStream],
    ['refused', refusedStream],
    ['tcp', tcpStream],
  ];
  for (const [column, stream] of streams) {
    it.each(operatorRows.filter(({ format }) => !otherwise.includes(format)))(`${column}: $format`, (row) => {
      expect(valueOf(row.format, stream())).toBe(row[column]);
    });
  }

  it.each(emptyOperators)('nothing: %s', (format) => {
    for (const [, stream] of streams) expect(valueOf(format, stream())).toBe('null');
  });
});
