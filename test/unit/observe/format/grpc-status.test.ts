import { describe, expect, it } from 'vitest';

import { HttpVersion, RequestHead, ResponseHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import { compileFormat } from '../../../../src/observe/format/format.ts';
import { printed } from './streams.ts';
import { Outcome } from '../../../../src/observe/outcome.ts';

const format = compileFormat('%GRPC_STATUS% %GRPC_STATUS(SNAKE_STRING)% %GRPC_STATUS_NUMBER%');

function line(contentType: string, code: number, sent: string | null): string {
  const outcome = new Outcome();
  const headers = Headers.of(['content-type', contentType]);
  outcome.requestHead = new RequestHead('POST', 'a', '/', HttpVersion.Http11, headers);
  outcome.responseHead = new ResponseHead(code, sent === null ? new Headers() : Headers.of(['grpc-status', sent]));
  outcome.responseCode = code;
  return printed(format, outcome);
}

// As a real Envoy printed them.
describe('GRPC_STATUS', () => {
  it.each([
    [200, '0', 'OK OK 0'],
    [200, '16', 'Unauthenticated UNAUTHENTICATED 16'],
    [200, '5', 'NotFound NOT_FOUND 5'],
    [200, '17', '17 17 17'],
    [200, '99', '99 99 99'],
    [200, 'abc', '-1 -1 -1'],
    [200, '-1', '-1 -1 -1'],
    [200, null, 'Unknown UNKNOWN 2'],
    [404, null, 'Unimplemented UNIMPLEMENTED 12'],
    [503, null, 'Unavailable UNAVAILABLE 14'],
    [429, null, 'Unavailable UNAVAILABLE 14'],
  ])('HTTP %i with grpc-status %s', (code, sent, expected) => {
    expect(line('application/grpc+proto', code, sent)).toBe(expected);
  });

  it.each(['application/grpc;x=1', 'application/grpc-web', 'text/plain'])('is nothing for %s', (contentType) => {
    expect(line(contentType, 200, '0')).toBe('- - -');
  });
});
