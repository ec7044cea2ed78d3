import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { ResponseFlag } from '../../../../src/core/failure.ts';
import { HttpVersion, RequestHead, ResponseHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import { buildAccessLog } from '../../../../src/observe/access-log/build.ts';
import {
  DEFAULT_FORMAT,
  type AccessLogData,
  type AccessLogFilterData,
} from '../../../../src/observe/access-log/access-log-data.ts';
import { AccessLogFiles } from '../../../../src/observe/access-log/access-log-files.ts';
import { buildAccessLogFilter, NO_TOOLS, type FilterTools } from '../../../../src/observe/access-log/filter.ts';
import { Outcome } from '../../../../src/observe/outcome.ts';

function outcomeOf(change: Partial<Outcome> = {}, requestId = ''): Outcome {
  const outcome = new Outcome();
  const headers = requestId === '' ? new Headers() : Headers.of(['x-request-id', requestId]);
  outcome.requestHead = new RequestHead('GET', 'a', '/', HttpVersion.Http11, headers);
  outcome.responseHead = new ResponseHead(200, new Headers());
  outcome.responseCode = 200;
  outcome.endMs = 12.7;
  return Object.assign(outcome, change);
}

const accepts = (data: AccessLogFilterData, outcome: Outcome, tools: Partial<FilterTools> = {}) =>
  buildAccessLogFilter(data, { ...NO_TOOLS, ...tools }).accepts(outcome);

describe('filters', () => {
  const compare = (op: 'EQ' | 'GE' | 'LE' | 'NE', value: number, runtimeKey = '') => ({ op, value, runtimeKey });

  it.each([
    ['EQ', 200, true],
    ['EQ', 201, false],
    ['GE', 200, true],
    ['GE', 201, false],
    ['LE', 200, true],
    ['LE', 199, false],
    ['NE', 200, false],
    ['NE', 404, true],
  ] as const)('status %s %i', (op, value, expected) => {
    expect(accepts({ kind: 'status-code', comparison: compare(op, value) }, outcomeOf())).toBe(expected);
  });

  it('the runtime overrides a limit', () => {
    const runtime = { number: (key: string) => (key === 'k' ? 500 : 0), fraction: () => false };
    const filter = { kind: 'status-code', comparison: compare('GE', 100, 'k') } as const;
    expect(accepts(filter, outcomeOf(), { runtime })).toBe(false);
    expect(accepts(filter, outcomeOf())).toBe(true);
  });

  it('duration in whole milliseconds', () => {
    expect(accepts({ kind: 'duration', comparison: compare('EQ', 12) }, outcomeOf())).toBe(true);
    expect(accepts({ kind: 'duration', comparison: compare('GE', 13) }, outcomeOf())).toBe(false);
  });

  it('health checks, tracing, log types', () => {
    expect(accepts({ kind: 'not-health-check' }, outcomeOf())).toBe(true);
    expect(accepts({ kind: 'not-health-check' }, outcomeOf({ isHealthCheck: true }))).toBe(false);
    expect(accepts({ kind: 'traceable' }, outcomeOf())).toBe(false);
    const types = ['DownstreamEnd'];
    expect(accepts({ kind: 'log-type', types, exclude: false }, outcomeOf())).toBe(true);
    expect(accepts({ kind: 'log-type', types, exclude: true }, outcomeOf())).toBe(false);
  });

  it('response flags: those named, or any', () => {
    const flagged = outcomeOf({ flags: ResponseFlag.NoRouteFound | ResponseFlag.RateLimited });
    expect(accepts({ kind: 'response-flag', flags: ResponseFlag.NoRouteFound }, flagged)).toBe(true);
    expect(accepts({ kind: 'response-flag', flags: ResponseFlag.LocalReset }, flagged)).toBe(false);
    expect(accepts({ kind: 'response-flag', flags: 0 }, flagged)).toBe(true);
    expect(accepts({ kind: 'response-flag', flags: 0 }, outcomeOf())).toBe(false);
  });

  it('gRPC status, from wherever it is known', () => {
    const only = (status: number, exclude = false) => ({ kind: 'grpc-status', statuses: [status], exclude }) as const;
    expect(accepts(only(5), outcomeOf({ responseTrailers: Headers.of(['grpc-status', '5']) }))).toBe(true);
    expect(accepts(only(12), outcomeOf({ responseCode: 404 }))).toBe(true);
    expect(accepts(only(2), outcomeOf({ responseCode: 0 }))).toBe(true);
    expect(accepts(only(5, true), outcomeOf())).toBe(true);
  });

  it('and, or', () => {
    const no: AccessLogFilterData = { kind: 'traceable' };
    const yes: AccessLogFilterData = { kind: 'not-health-check' };
    expect(accepts({ kind: 'and', filters: [yes, no] }, outcomeOf())).toBe(false);
    expect(accepts({ kind: 'or', filters: [no, yes] }, outcomeOf())).toBe(true);
  });

  it('samples by the request id, so that every proxy picks the same requests', () => {
    const half = { kind: 'runtime', key: 'k', numerator: 50, denominator: 100, independentRandomness: false } as const;
    // 0x00000031 = 49 and 0x00000032 = 50, of 100.
    expect(accepts(half, outcomeOf({}, '00000031-0000-4000-8000-000000000000'))).toBe(true);
    expect(accepts(half, outcomeOf({}, '00000032-0000-4000-8000-000000000000'))).toBe(false);
    expect(accepts(half, outcomeOf({}, 'no uuid'), { random: () => 0.1 })).toBe(true);
    const independent = { ...half, independentRandomness: true };
    expect(accepts(independent, outcomeOf({}, '00000031-0000-4000-8000-000000000000'), { random: () => 0.9 })).toBe(
      false,
    );
  });

  it('metadata', () => {
    const filter = (value: unknown, more: object = {}): AccessLogFilterData =>
      ({
        kind: 'metadata',
        namespace: 'ns',
        path: ['a', 'b'],
        value,
        matchIfKeyNotFound: true,
        ...more,
      }) as AccessLogFilterData;
    const outcome = outcomeOf({ dynamicMetadata: new Map([['ns', { a: { b: [1, 'x', true] } }]]) });
    const one = { kind: 'list', oneOf: { kind: 'string', matcher: { kind: 'exact', value: 'x', ignoreCase: false } } };
    const range = { kind: 'list', oneOf: { kind: 'double', start: 2, end: 3, isExact: false } };
    expect(accepts(filter(one), outcome)).toBe(true);
    expect(accepts(filter(range), outcome)).toBe(false);
    expect(accepts(filter({ kind: 'or', any: [range, one] }), outcome)).toBe(true);
    expect(accepts(filter({ kind: 'present', value: true }), outcome)).toBe(true);
    expect(accepts(filter(one, { path: ['none'] }), outcome)).toBe(true);
    expect(accepts(filter(one, { path: ['none'], matchIfKeyNotFound: false }), outcome)).toBe(false);
  });

  it('headers, through the matcher that was handed in', () => {
    const filter: AccessLogFilterData = { kind: 'header', matcher: { method: 'GET' } };
    const headerMatcher = (data: unknown) => ({
      matches: (head: RequestHead) => head.method === (data as { method: string }).method,
    });
    expect(accepts(filter, outcomeOf(), { headerMatcher })).toBe(true);
    expect(accepts(filter, outcomeOf({ requestHead: null }), { headerMatcher })).toBe(false);
    expect(() => accepts(filter, outcomeOf())).toThrow('needs a header matcher');
  });
});

describe('buildAccessLog', () => {
  it('writes the streams that its filter accepts', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sekisho-log-'));
    const path = join(folder, 'a.log');
    const data: AccessLogData = {
      name: 'a',
      filter: { kind: 'status-code', comparison: { op: 'GE', value: 400, runtimeKey: '' } },
      sink: { kind: 'file', path },
      format: { ...DEFAULT_FORMAT, kind: 'text', text: '%RESPONSE_CODE% %REQ(:METHOD)%\n' },
    };
    const files = new AccessLogFiles(3_600_000);
    // As it arrives in a worker.
    const log = buildAccessLog(structuredClone(data), files);
    log.log(outcomeOf());
    log.log(outcomeOf({ responseCode: 404 }));
    await files.close();
    expect(readFileSync(path, 'latin1')).toBe('404 GET\n');
    rmSync(folder, { recursive: true });
  });
});
