import { describe, expect, test } from 'vitest';
import { ResponseHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import { anyHost, fieldsOf, forwarded, outcomeOf, request, tableFrom } from '../fixture.ts';

// What Envoy 1.39.3 sent upstream for the same configuration and request.
const actions = `
name: r
virtual_hosts:
- name: v
  domains: ['*']
  routes:
  - match: {prefix: /}
    request_headers_to_remove: [X-Gone]
    request_headers_to_add:
    - {header: {key: X-App, value: n}}
    - {header: {key: x-abs, value: n}, append_action: ADD_IF_ABSENT}
    - {header: {key: x-abs2, value: n}, append_action: ADD_IF_ABSENT}
    - {header: {key: x-abs2, value: n2}, append_action: ADD_IF_ABSENT}
    - {header: {key: x-ow, value: n}, append_action: OVERWRITE_IF_EXISTS_OR_ADD}
    - {header: {key: x-owe, value: n}, append_action: OVERWRITE_IF_EXISTS}
    - {header: {key: x-empty, value: ""}}
    - {header: {key: x-kempty, value: ""}, keep_empty_value: true}
    - {header: {key: x-cp, value: "%REQ(x-app)%"}}
    - {header: {key: x-missing, value: "%REQ(nope)%"}}
    - {header: {key: x-missing2, value: "a%REQ(nope)%b"}}
    - {header: {key: x-owself, value: "%REQ(x-owself)%!"}, append_action: OVERWRITE_IF_EXISTS_OR_ADD}
    - {header: {key: x-gone, value: "back %REQ(x-gone)%"}}
    - {header: {key: x-pct, value: "100%%"}}
    - {header: {key: content-type, value: text/foo}}
    - {header: {key: user-agent, value: ua2}}
    - {header: {key: x-old, value: n}, append: false}
    - {header: {key: x-é, value: é}, append: true}
    route: {cluster: c}
`;

describe('append actions', () => {
  const table = tableFrom(actions);

  test('on a request that has everything', () => {
    const fields =
      'x-app: o|x-app: p|x-abs: o|x-ow: o|x-ow: p|x-owe: o|x-owself: s|x-gone: g|content-type: a|user-agent: ua|x-empty: z|x-kempty: o|x-old: o';
    expect(forwarded(table, request('/acts', ...fields.split('|')))).toBe(
      '/acts | host: h.test | x-app: o | x-app: p | x-abs: o | content-type: a,text/foo | user-agent: ua,ua2 | x-empty: z | x-kempty: o | x-ow: n | x-owe: n | x-owself: s! | x-old: n | x-app: n | x-abs2: n | x-abs2: n2 | x-kempty:  | x-cp: o | x-missing2: ab | x-gone: back  | x-pct: 100% | x-\xc3\xa9: \xc3\xa9',
    );
  });

  test('on a request that has nothing', () => {
    expect(forwarded(table, request('/acts'))).toBe(
      '/acts | host: h.test | x-ow: n | x-owself: ! | x-old: n | x-app: n | x-abs: n | x-abs2: n | x-abs2: n2 | x-kempty:  | x-missing2: ab | x-gone: back  | x-pct: 100% | content-type: text/foo | user-agent: ua2 | x-\xc3\xa9: \xc3\xa9',
    );
  });
});

function levels(top: string): string {
  const add = (level: string, side: string) =>
    `${side}_headers_to_add: [{header: {key: x-lvl, value: ${level}}}, {header: {key: x-set, value: ${level}}, append_action: OVERWRITE_IF_EXISTS_OR_ADD}]`;
  return `
name: r
${top}
${add('rc', 'request')}
${add('rc', 'response')}
request_headers_to_remove: [x-rm-rc]
virtual_hosts:
- name: v
  domains: ['*']
  ${add('vh', 'request')}
  ${add('vh', 'response')}
  request_headers_to_remove: [x-rm-vh]
  routes:
  - match: {prefix: /w}
    ${add('rt', 'request')}
    ${add('rt', 'response')}
    route: {cluster: c}
  - match: {prefix: /}
    route: {cluster: c}
`;
}

describe('levels', () => {
  test('the outer ones come last and win', () => {
    const table = tableFrom(levels(''));
    expect(forwarded(table, request('/w', 'x-set: q', 'x-rm-rc: 1', 'x-rm-vh: 1'))).toBe(
      '/w | host: h.test | x-lvl: rt | x-lvl: vh | x-set: rc | x-lvl: rc',
    );
    expect(forwarded(table, request('/'))).toBe('/ | host: h.test | x-lvl: vh | x-set: rc | x-lvl: rc');
  });

  test('with most_specific_header_mutations_wins the route comes last', () => {
    const table = tableFrom(levels('most_specific_header_mutations_wins: true'));
    expect(forwarded(table, request('/w'))).toBe('/w | host: h.test | x-lvl: rc | x-lvl: vh | x-set: rt | x-lvl: rt');
  });

  test('responses likewise', () => {
    const head = request('/w');
    const response = new ResponseHead(200, Headers.of(['x-lvl', 'up'], ['x-set', 'up'], ['server', 'up']));
    tableFrom(levels('')).match(head, { random: 0 })!.mutateResponse(response, outcomeOf(head));
    expect(fieldsOf(response.headers)).toEqual([
      'x-lvl: up',
      'server: up',
      'x-lvl: rt',
      'x-lvl: vh',
      'x-set: rc',
      'x-lvl: rc',
    ]);
  });
});

test('what Envoy keeps once per response is joined there, and added in requests', () => {
  const yaml = anyHost(
    '{match: {prefix: /}, request_headers_to_add: [{header: {key: vary, value: n}}], response_headers_to_add: [{header: {key: vary, value: n}}, {header: {key: user-agent, value: n}}], route: {cluster: c}}',
  );
  const head = request('/', 'vary: o');
  const table = tableFrom(yaml);
  const response = new ResponseHead(200, Headers.of(['vary', 'o'], ['user-agent', 'o']));
  table.match(head, { random: 0 })!.mutateResponse(response, outcomeOf(head));
  expect(fieldsOf(response.headers)).toEqual(['vary: o,n', 'user-agent: o', 'user-agent: n']);
  expect(forwarded(table, head)).toBe('/ | host: h.test | vary: o | vary: n');
});
