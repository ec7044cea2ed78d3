import { expect, test } from 'vitest';
import { readResource } from '../../../../src/control/resources/read-resource.ts';
import { RouteConfigurationSchema } from '../../../../src/proto/envoy/config/route/v3/route_pb.js';
import { create, toBinary } from '../../../../src/proto/protobuf.js';

const packed = (virtualHosts: object[] = []): Uint8Array =>
  toBinary(RouteConfigurationSchema, create(RouteConfigurationSchema, { name: 'r', virtualHosts }));

test('what its decoder makes of it', () => {
  expect(readResource(RouteConfigurationSchema, packed(), ({ name }) => ({ name }))).toEqual({ name: 'r' });
});

test('what is no such message', () => {
  expect(readResource(RouteConfigurationSchema, new Uint8Array([255]), () => ({}))).toMatch(/^it cannot be read: /);
});

test('what breaks the rules of its proto, in every field that does', () => {
  const broken = readResource(RouteConfigurationSchema, packed([{ name: '', domains: [] }]), () => ({}));
  expect(broken).toMatch(/virtual_hosts\[0\]\.name: .*; virtual_hosts\[0\]\.domains: /);
});

test('what is refused besides, and what its decoder refuses', () => {
  const check = () => [{ path: 'a', message: 'is wrong' }];
  expect(readResource(RouteConfigurationSchema, packed(), () => ({}), check)).toBe('a: is wrong');
  const decoded = readResource(RouteConfigurationSchema, packed(), (_, reasons) => {
    reasons.at('b').add('is worse');
    reasons.add('all of it');
    return null;
  });
  expect(decoded).toBe('b: is worse; all of it');
});
