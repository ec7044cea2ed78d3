import { describe, expect, test } from 'vitest';
import type { DirectResponseAction } from '../../../../src/route/route.ts';
import { anyHost, outcomeOf, request, tableFrom } from '../fixture.ts';

function direct(fields: string): DirectResponseAction {
  const { action } = tableFrom(anyHost(`{match: {prefix: /}, direct_response: {${fields}}}`)).match(request('/'), {
    random: 0,
  })!;
  if (action.kind !== 'direct') throw new Error('not direct');
  return action;
}

test('status and body', () => {
  const action = direct('status: 200, body: {inline_string: hé}');
  expect([action.status, action.body, action.contentType]).toEqual([200, 'h\xc3\xa9', '']);
  expect(action.formatBody!(outcomeOf(request('/')))).toBe('h\xc3\xa9');
});

test('without a body', () => {
  expect(direct('status: 204').body).toBe('');
});

describe('body_format', () => {
  test('text, with the body as %LOCAL_REPLY_BODY%', () => {
    const action = direct(
      "status: 299, body: {inline_string: hello}, body_format: {text_format_source: {inline_string: '<%LOCAL_REPLY_BODY%|%REQ(x-h)%>'}, content_type: text/html}",
    );
    expect(action.formatBody!(outcomeOf(request('/', 'x-h: hh')))).toBe('<hello|hh>');
    expect(action.contentType).toBe('text/html');
  });

  test('json', () => {
    const action = direct(
      "status: 200, body: {inline_string: hello}, body_format: {json_format: {a: '%LOCAL_REPLY_BODY%'}}",
    );
    expect(action.formatBody!(outcomeOf(request('/')))).toBe('{"a":"hello"}\n');
    expect(action.contentType).toBe('application/json');
  });
});

describe('location', () => {
  test.each([
    [200, ''],
    [201, 'http://h.test/a?b'],
    [302, 'http://h.test/a?b'],
    [404, ''],
  ])('%i: %j', (status, expected) => {
    expect(direct(`status: ${status}`).location!(request('/a?b'))).toBe(expected);
  });
});
