import { describe, expect, test } from 'vitest';
import { bodyOf, fieldOf, HttpWorld, request, response, statusOf } from './world.ts';

const log = '%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%';
const evil = '%0d%0ax-evil:%20yes';

/** A head's lines. */
function linesOf(message: string): string[] {
  return message.slice(0, message.indexOf('\r\n\r\n')).split('\r\n').slice(1);
}

function header(operator: string): string {
  return `[{ header: { key: x-q, value: '${operator}' } }]`;
}

describe('a request cannot get a line that a client has hidden in an escape', () => {
  test.each([
    ['in a field', `route: { cluster: c }, request_headers_to_add: ${header('%QUERY_PARAM(q)%')}`, 'x-q'],
    ['in its path', "route: { cluster: c, path_rewrite: '/%QUERY_PARAM(q)%' }", ':path'],
    ['in its host', "route: { cluster: c, host_rewrite: '%QUERY_PARAM(q)%' }", ':authority'],
  ])('%s', (_, action, name) => {
    const world = new HttpWorld({ log, routes: `- { match: { prefix: / }, ${action} }` });
    const client = world.send(request(`GET /?q=a${evil}`));
    const answer = client.take();
    expect([statusOf(answer), bodyOf(answer)]).toEqual([503, `invalid header value for: ${name}`]);
    expect(world.dials).toBe(0);
    expect(world.logged).toEqual([
      `503 DPE filter_removed_required_request_headers{invalid_header_value_for:_${name}}`,
    ]);
  });

  test('nor a space in its path', () => {
    const world = new HttpWorld({
      routes: "- { match: { prefix: / }, route: { cluster: c, path_rewrite: '/%QUERY_PARAM(q)%' } }",
    });
    const client = world.send(request('GET /?q=a%20HTTP/1.1'));
    expect(statusOf(client.take())).toBe(503);
  });

  test('but what a field may have passes', () => {
    const world = new HttpWorld({
      routes: `- { match: { prefix: / }, route: { cluster: c }, request_headers_to_add: ${header('%QUERY_PARAM(q)%')} }`,
    });
    world.send(request('GET /?q=a%09b%20c%ff'));
    expect(fieldOf(world.upstream.take(), 'x-q')).toBe('a\tb c\xff');
  });
});

describe('an answer cannot get a line that somebody has hidden', () => {
  test.each([
    ['beside an upstream’s', 'route: { cluster: c }'],
    ['beside a direct response', 'direct_response: { status: 200 }'],
    ['beside a redirect', 'redirect: { path_redirect: /x }'],
  ])('in a field %s', (_, action) => {
    const add = `response_headers_to_add: ${header('%QUERY_PARAM(q)%')}`;
    const world = new HttpWorld({ routes: `- { match: { prefix: / }, ${action}, ${add} }` });
    const client = world.send(request(`GET /?q=a${evil}%00z`));
    if (world.dials > 0) world.upstream.receive(response());
    const answer = client.take();
    expect(fieldOf(answer, 'x-q')).toBe('a  x-evil: yes z');
    expect(linesOf(answer).some((line) => line.startsWith('x-evil'))).toBe(false);
  });

  test('in a redirect’s location', () => {
    const world = new HttpWorld({
      routes: "- { match: { prefix: / }, redirect: { path_rewrite: '/%QUERY_PARAM(q)%' } }",
    });
    const answer = world.send(request(`GET /?q=a${evil}`)).take();
    expect(fieldOf(answer, 'location')).toBe(`http://a/a  x-evil: yes?q=a${evil}`);
    expect(linesOf(answer).some((line) => line.startsWith('x-evil'))).toBe(false);
  });

  test('in the type of a direct response', () => {
    const format = 'body_format: { text_format_source: { inline_string: x }, content_type: "a\\r\\nx-evil: yes" }';
    const world = new HttpWorld({ routes: `- { match: { prefix: / }, direct_response: { status: 200, ${format} } }` });
    expect(fieldOf(world.send(request()).take(), 'content-type')).toBe('a  x-evil: yes');
  });

  test('in the fields of a local reply’s mapper', () => {
    const add = [{ header: { key: 'x-q', value: '%QUERY_PARAM(q)%' } }];
    const filter = { statusCodeFilter: { comparison: { op: 'GE', value: { defaultValue: 400, runtimeKey: 'k' } } } };
    const world = new HttpWorld({
      hcm: { localReplyConfig: { mappers: [{ filter, headersToAdd: add }] } },
      routes: '- { match: { prefix: /nowhere }, route: { cluster: c } }',
    });
    const answer = world.send(request(`GET /?q=a${evil}`)).take();
    expect([statusOf(answer), fieldOf(answer, 'x-q')]).toEqual([404, 'a  x-evil: yes']);
  });

  test('in the name that Proxy-Status gives', () => {
    const world = new HttpWorld({
      hcm: { proxyStatusConfig: { literalProxyName: 'a\r\nx-evil: yes' } },
      clusters: { c: { hosts: [] } },
    });
    expect(fieldOf(world.send(request()).take(), 'proxy-status')).toContain('a  x-evil: yes;');
  });
});
