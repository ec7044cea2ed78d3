import { describe, expect, test } from 'vitest';
import type { AccessLogFilterData, FormatData } from '../../../../../src/observe/access-log/access-log-data.ts';
import { Outcome } from '../../../../../src/observe/outcome.ts';
import type { LocalReplyMapperData } from '../../../../../src/proxy/http/hcm-data.ts';
import { LocalReplies } from '../../../../../src/proxy/http/response/local-reply.ts';
import { hcmData, lines, requestHead } from '../hcm-fixture.ts';

const options = { omitEmptyValues: false, extensions: [], contentType: '' };
const json: FormatData = {
  ...options,
  kind: 'json',
  template: {
    s: '%RESPONSE_CODE%',
    b: '%LOCAL_REPLY_BODY%',
    p: '%REQ(:PATH)%',
    d: '%RESPONSE_CODE_DETAILS%',
    n: '%REQ(nope)%',
  },
};
const text = (value: string, contentType = ''): FormatData => ({ ...options, kind: 'text', text: value, contentType });

function mapper(status: number, op: 'EQ' | 'GE', changes: Partial<LocalReplyMapperData>): LocalReplyMapperData {
  const filter: AccessLogFilterData = { kind: 'status-code', comparison: { op, value: status, runtimeKey: '' } };
  return { filter, status: 0, body: null, bodyFormat: null, headers: [], ...changes };
}

const add = (name: string, value: string, action: 'APPEND_IF_EXISTS_OR_ADD' | 'OVERWRITE_IF_EXISTS_OR_ADD') => ({
  name,
  value,
  action,
  keepEmpty: false,
});

/** The connection managers of the observation on Envoy 1.39.3. */
const managers = [
  { bodyFormat: json },
  {
    mappers: [
      mapper(404, 'EQ', {
        status: 418,
        body: 'mapped \xc3\xbc',
        headers: [add('x-q', '%RESPONSE_CODE%/%LOCAL_REPLY_BODY%', 'APPEND_IF_EXISTS_OR_ADD')],
      }),
      mapper(503, 'EQ', { bodyFormat: text('<%LOCAL_REPLY_BODY%|%RESPONSE_CODE%>', 'text/html') }),
      mapper(200, 'GE', { headers: [add('content-type', 'x/y', 'OVERWRITE_IF_EXISTS_OR_ADD')] }),
    ],
  },
  {
    mappers: [mapper(404, 'EQ', { body: 'json %d' })],
    bodyFormat: { ...options, kind: 'json', template: { b: '%LOCAL_REPLY_BODY%' }, contentType: 'a/b' } as const,
  },
  {},
] as const;

const matches = (filter: AccessLogFilterData) => ({
  matches: (outcome: Outcome) => {
    if (filter.kind !== 'status-code') throw new Error('unexpected');
    const { op, value } = filter.comparison;
    return op === 'EQ' ? outcome.responseCode === value : outcome.responseCode >= value;
  },
});

function answer(manager: number, status: number, body: string, request = requestHead([], { path: `/${status}` })) {
  const replies = new LocalReplies(hcmData({ localReply: managers[manager] }), matches);
  const outcome = new Outcome();
  outcome.requestHead = request;
  outcome.details = 'direct_response';
  const { head, body: bytes } = replies.make({ status, body, details: 'direct_response' }, request, outcome);
  expect(outcome.localReplyBody).toBe('');
  return [head.status, ...lines(head.headers), bytes === null ? null : String.fromCharCode(...bytes)];
}

const grpc = (method = 'GET') => requestHead([['content-type', 'application/grpc']], { method, path: '/404' });
const headRequest = requestHead([], { method: 'HEAD', path: '/404' });

describe('as Envoy does', () => {
  test('body_format', () => {
    expect(answer(0, 404, 'b404')).toEqual([
      404,
      'content-length: 63',
      'content-type: application/json',
      '{"b":"b404","d":"direct_response","n":null,"p":"/404","s":404}\n',
    ]);
    expect(answer(0, 404, '')[1]).toBe('content-length: 59');
    expect(answer(0, 404, 'b404', headRequest)).toEqual([
      404,
      'content-length: 63',
      'content-type: application/json',
      null,
    ]);
    expect(answer(0, 404, 'b404', grpc())).toEqual([
      200,
      'grpc-status: 12',
      'content-type: application/grpc',
      'grpc-message: {"b":"b404","d":"direct_response","n":null,"p":"/404","s":404}',
      null,
    ]);
  });

  test('mappers: the first that matches', () => {
    expect(answer(1, 404, 'b404')).toEqual([
      418,
      'x-q: 404/',
      'content-length: 9',
      'content-type: text/plain',
      'mapped \xc3\xbc',
    ]);
    expect(answer(1, 404, '', headRequest)).toEqual([
      418,
      'x-q: 404/',
      'content-length: 9',
      'content-type: text/plain',
      null,
    ]);
    expect(answer(1, 503, 'b503')).toEqual([503, 'content-length: 10', 'content-type: text/html', '<b503|503>']);
    expect(answer(1, 301, '')).toEqual([301, null]);
    expect(answer(1, 200, 'b200')).toEqual([200, 'content-type: x/y', 'content-length: 4', 'b200']);
    expect(answer(1, 404, 'b404', grpc())).toEqual([
      200,
      'x-q: 404/',
      'grpc-status: 2',
      'content-type: application/grpc',
      'grpc-message: mapped %C3%BC',
      null,
    ]);
    expect(answer(1, 404, 'b404', grpc('HEAD'))).toEqual([
      200,
      'x-q: 404/',
      'grpc-status: 2',
      'content-type: application/grpc',
      null,
    ]);
  });

  test('a mapper without a format falls back to body_format', () => {
    expect(answer(2, 404, '')).toEqual([404, 'content-length: 16', 'content-type: a/b', '{"b":"json %d"}\n']);
    expect(answer(2, 503, 'b503', grpc())).toContain('grpc-message: {"b":"b503"}%0A');
    expect(answer(2, 404, 'b404', grpc())).toContain('grpc-message: {"b":"json %25d"}%0A');
  });

  test('without local_reply_config', () => {
    expect(answer(3, 404, 'b404')).toEqual([404, 'content-length: 4', 'content-type: text/plain', 'b404']);
    expect(answer(3, 404, '')).toEqual([404, null]);
    expect(answer(3, 404, 'b404', headRequest)).toEqual([404, 'content-length: 4', 'content-type: text/plain', null]);
  });

  test.each([
    [400, 13],
    [401, 16],
    [403, 7],
    [404, 12],
    [429, 14],
    [502, 14],
    [503, 14],
    [504, 14],
    [500, 2],
    [307, 2],
  ])('HTTP %i is gRPC %i', (status, code) => {
    expect(answer(3, status, '', grpc())).toEqual([
      200,
      `grpc-status: ${code}`,
      'content-type: application/grpc',
      null,
    ]);
  });
});

test('a filter names its own gRPC status and headers', () => {
  const replies = new LocalReplies(hcmData());
  const reply = { status: 200, body: 'no', details: 'x', grpcStatus: 8, headers: [['x-a', '1']] as const };
  expect(lines(replies.make(reply, grpc(), new Outcome()).head.headers)).toEqual([
    'x-a: 1',
    'grpc-status: 8',
    'content-type: application/grpc',
    'grpc-message: no',
  ]);
});

test('an answer that a filter made whole stays as it is', () => {
  const replies = new LocalReplies(hcmData({ localReply: managers[0] }));
  const made = replies.make({ status: 200, body: '', details: 'cors_response', asIs: true }, grpc(), new Outcome());
  expect([made.head.status, ...lines(made.head.headers), made.body]).toEqual([200, null]);
});
