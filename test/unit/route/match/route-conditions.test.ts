import { describe, expect, test } from 'vitest';
import type { TlsFacts } from '../../../../src/core/tls-facts.ts';
import { Outcome } from '../../../../src/observe/outcome.ts';
import { certificateFacts, tlsFacts } from '../../core/tls-fixture.ts';
import { peer } from '../../proxy/http/hcm-fixture.ts';
import { anyHost, request, tableFrom } from '../fixture.ts';

function matches(match: string, head: ReturnType<typeof request>, random = 0): boolean {
  return (
    tableFrom(anyHost(`{match: {prefix: /, ${match}}, direct_response: {status: 200}}`)).match(head, { random }) !==
    null
  );
}

describe('grpc', () => {
  test.each([
    ['application/grpc', true],
    ['application/grpc+proto', true],
    ['application/grpc-web', false],
    ['application/grpc; charset=x', false],
    ['application/GRPC', false],
  ])('%s: %s', (type, expected) => {
    expect(matches('grpc: {}', request('/', `content-type: ${type}`))).toBe(expected);
  });

  test('no content type is no gRPC', () => {
    expect(matches('grpc: {}', request('/'))).toBe(false);
  });
});

describe('runtime_fraction', () => {
  test.each([
    ['{numerator: 30}', 0.299, true],
    ['{numerator: 30}', 0.3, false],
    ['{numerator: 0}', 0, false],
    ['{numerator: 200}', 0.99, true],
    ['{numerator: 1, denominator: TEN_THOUSAND}', 0.00009, true],
    ['{numerator: 1, denominator: MILLION}', 0.00009, false],
  ])('%s at %d: %s', (value, random, expected) => {
    expect(matches(`runtime_fraction: {default_value: ${value}}`, request('/'), random)).toBe(expected);
    expect(matches(`runtime_fraction: {default_value: ${value}, runtime_key: k}`, request('/'), random)).toBe(expected);
  });
});

test('all conditions must hold', () => {
  const match = "headers: [{name: x}], query_parameters: [{name: q}], cookies: [{name: c, string_match: {exact: '1'}}]";
  expect(matches(match, request('/?q', 'x: 1', 'cookie: c=1'))).toBe(true);
  expect(matches(match, request('/', 'x: 1', 'cookie: c=1'))).toBe(false);
  expect(matches(match, request('/?q', 'cookie: c=1'))).toBe(false);
  expect(matches(match, request('/?q', 'x: 1', 'cookie: c=2'))).toBe(false);
});

describe('tls_context', () => {
  const presented = tlsFacts({ peerChain: [certificateFacts()] });
  const validated = { ...presented, isPeerVerified: true };

  test.each<[string, TlsFacts | null, boolean]>([
    ['{}', null, true],
    ['{presented: true}', null, false],
    ['{presented: true}', tlsFacts(), false],
    ['{presented: true}', presented, true],
    ['{presented: false}', null, true],
    ['{presented: false}', presented, false],
    ['{validated: true}', presented, false],
    ['{validated: true}', validated, true],
    ['{validated: false}', null, true],
    ['{presented: true, validated: false}', presented, true],
    ['{presented: true, validated: false}', validated, false],
  ])('%s %#', (value, tls, expected) => {
    const outcome = new Outcome();
    outcome.peer = peer('127.0.0.1', { tls });
    const table = tableFrom(anyHost(`{match: {prefix: /, tls_context: ${value}}, direct_response: {status: 200}}`));
    expect(table.match(request('/'), { random: 0, outcome }) !== null).toBe(expected);
  });
});
