import { create, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { Reasons } from '../../../../../src/core/rejection.ts';
import { sniClusterBuilder } from '../../../../../src/filter/network/sni-cluster/build.ts';
import { sniClusterDecoder } from '../../../../../src/filter/network/sni-cluster/decode.ts';
import type { FilteredStream } from '../../../../../src/filter/network/network-filter.ts';
import { ConnectionNotes } from '../../../../../src/observe/connection-notes.ts';
import { SniClusterSchema } from '../../../../../src/proto/envoy/extensions/filters/network/sni_cluster/v3/sni_cluster_pb.js';

test('the name that is asked for is the cluster; without one nothing is', () => {
  const reasons = new Reasons();
  const data = sniClusterDecoder.decode(toBinary(SniClusterSchema, create(SniClusterSchema)), reasons, {
    open: () => null,
  });
  expect(reasons.isEmpty).toBe(true);
  const chosenFor = (serverName: string): unknown => {
    const notes = new ConnectionNotes();
    const filter = sniClusterBuilder.build(data, {} as never).create();
    filter.onNewConnection!({ peer: { serverName }, notes } as FilteredStream);
    return notes.filterState.get('envoy.tcp_proxy.cluster');
  };
  expect(chosenFor('a.test')).toBe('a.test');
  expect(chosenFor('')).toBeUndefined();
});
