import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { DeltaDiscoveryResponseSchema } from '../../../../src/proto/envoy/service/discovery/v3/discovery_pb.js';
import { create, toBinary } from '../../../../src/proto/protobuf.js';
import { discover, type Request } from './discover.ts';

const recorded = join(import.meta.dirname, '../../../fixtures/istiod-1.29.6/ambient/ztunnel/delta');
const wds = join(import.meta.dirname, '../../../fixtures/ztunnel/wds');
const address = 'type.googleapis.com/istio.workload.Address';
const authorization = 'type.googleapis.com/istio.security.Authorization';

/** As istiod gave it. */
const response = (name: string): Buffer => gunzipSync(readFileSync(join(recorded, `${name}.pb.gz`)));

const acknowledged = (requests: readonly Request[]): boolean =>
  requests.filter(({ nonce }) => nonce !== '').length >= 2;

test("istiod's recorded stream is taken and acknowledged", async () => {
  const { mesh, requests, until, first } = await discover(({ typeUrl, nonce }) => {
    if (nonce !== '') return null;
    return response(typeUrl === address ? 'istio.Address' : 'istio.Authorization');
  });
  await until(() => acknowledged(requests));
  expect(requests.map(({ error }) => error)).toEqual(requests.map(() => ''));
  expect(requests[0].nodeId).toBe('ztunnel~127.0.4.1~ztunnel-abc.istio-system~istio-system.svc.cluster.local');
  expect(new Set(first)).toEqual(new Set([address, authorization]));
  const uids = [...mesh.allWorkloads].map(({ uid }) => uid);
  expect(uids).toHaveLength(8);
  expect(uids).toContain('Kubernetes//Pod/default/shop-v2');
  expect([...mesh.services.all].map(({ hostname }) => hostname)).toContain('shop.default.svc.cluster.local');
  expect([...mesh.allPolicies].length).toBeGreaterThan(0);
});

test('what is wrong is refused by name, and what is good beside it counts', async () => {
  const packed = (name: string, file: string) => ({
    name,
    version: '1',
    resource: { typeUrl: address, value: new Uint8Array(readFileSync(join(wds, file))) },
  });
  const { mesh, requests, until } = await discover(({ typeUrl, nonce }) => {
    if (nonce !== '' || typeUrl !== address) return null;
    return toBinary(
      DeltaDiscoveryResponseSchema,
      create(DeltaDiscoveryResponseSchema, {
        typeUrl,
        nonce: 'n1',
        resources: [packed('bad', 'address-workload-bad-ip.bin'), packed('good', 'address-workload-pod.bin')],
      }),
    );
  });
  await until(() => requests.some(({ nonce }) => nonce === 'n1'));
  expect(requests.find(({ nonce }) => nonce === 'n1')!.error).toContain('bad: an address of');
  expect([...mesh.allWorkloads].map(({ name }) => name)).toEqual(['billing-0']);
});

test('a stream that ends is opened again, and says what it has', async () => {
  const { requests, until, ended } = await discover(({ typeUrl, nonce, versions }) => {
    if (typeUrl !== address) return null;
    if (nonce !== '' && versions.length === 0 && requestsOf() === 0) return 'end';
    return nonce === '' && versions.length === 0 ? response('istio.Address') : null;
  });
  function requestsOf(): number {
    return ended.length;
  }
  await until(() => requests.some(({ versions }) => versions.length > 0));
  expect(requests.find(({ versions }) => versions.length > 0)!.versions).toContain('Kubernetes//Pod/default/shop-v2');
  expect(ended).toEqual(['Complete']);
});
