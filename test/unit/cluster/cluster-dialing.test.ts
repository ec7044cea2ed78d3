import { expect, it } from 'vitest';
import { ClusterDialing } from '../../../src/cluster/cluster-dialing.ts';
import type { Address } from '../../../src/core/peer.ts';
import { clusterData } from './cluster-fixture.ts';

const v4: Address = { kind: 'ip', host: '10.0.0.1', port: 1 };
const v6: Address = { kind: 'ip', host: '::1', port: 1 };
const option = { level: 1, name: 2, value: 3, moment: 'bound', family: 0 } as const;

it('is the same for all unless there is an address of the other family', () => {
  const dialing = new ClusterDialing(clusterData({ socketOptions: [option] }), 7);
  expect(dialing.to(v4)).toBe(dialing.to(v6));
  expect(dialing.to(v4)).toMatchObject({ connectTimeoutMs: 7, bindAddress: null, socketOptions: [option] });
  expect(new ClusterDialing(clusterData()).to(v4)).not.toHaveProperty('socketOptions');
});

it('leaves from the address of the family, with what is said of that', () => {
  const [own, other] = ['10.0.0.9', '::9'].map((host) => ({ host, port: 0 }));
  const data = { bindAddress: own, otherBindAddress: other, bindsFreely: true, socketOptions: [option] };
  const shared = new ClusterDialing(clusterData(data));
  expect(shared.to(v4)).toMatchObject({ bindAddress: own, isFree: true, socketOptions: [option] });
  expect(shared.to(v6)).toMatchObject({ bindAddress: other, isFree: true, socketOptions: [option] });
  const apart = new ClusterDialing(clusterData({ ...data, otherSocketOptions: [] }));
  expect([apart.to(v4).socketOptions, apart.to(v6).socketOptions]).toEqual([[option], []]);
});
