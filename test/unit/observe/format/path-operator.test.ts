import { describe, expect, it } from 'vitest';

import { HttpVersion, RequestHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import { compileJsonFormat } from '../../../../src/observe/format/format.ts';
import { printed } from './streams.ts';
import { Outcome } from '../../../../src/observe/outcome.ts';

function print(path: string, format: string): unknown {
  const outcome = new Outcome();
  outcome.requestHead = new RequestHead('GET', 'a', path, HttpVersion.Http11, new Headers());
  return JSON.parse(printed(compileJsonFormat({ v: format }), outcome)).v;
}

const odd = '/d?q=%41%20b%2F%25%00%7f%80%c3%a9+x&a%20b=1&a+b=2&lone&=x&q';

// As a real Envoy printed them.
describe('queries', () => {
  it.each([
    [odd, '%QUERY_PARAMS%', 'q=%41%20b%2F%25%00%7f%80%c3%a9+x&a%20b=1&a+b=2&lone&=x&q'],
    [odd, '%QUERY_PARAMS(DECODED)%', 'q=A%20b/%%00%7f%80%c3%a9+x&a%20b=1&a+b=2&lone&=x&q'],
    [odd, '%QUERY_PARAM(q)%', 'A b/%\u0000\u007f\u0080\u00c3\u00a9+x'],
    [odd, '%QUERY_PARAM(a b)%', '1'],
    [odd, '%QUERY_PARAM(a%20b)%', null],
    [odd, '%QUERY_PARAM(lone)%', ''],
    ['/d?lone=&q=a%zz%4', '%QUERY_PARAMS(DECODED)%', 'lone=&q=a%zz%4'],
    ['/d?lone=&q=a%zz%4', '%QUERY_PARAM(q)%', 'a%zz%4'],
    ['/d?q=%e2%98%83~-_.!*()%22%26%3d', '%QUERY_PARAMS(DECODED)%', 'q=%e2%98%83~-_.!*()%22&='],
    ['/d??q=1', '%QUERY_PARAMS%', '?q=1'],
    ['/d??q=1', '%QUERY_PARAM(q)%', null],
    ['/d?', '%QUERY_PARAMS%', ''],
    ['/d', '%QUERY_PARAMS%', null],
  ])('%s with %s', (path, format, expected) => {
    expect(print(path, format)).toBe(expected);
  });
});
