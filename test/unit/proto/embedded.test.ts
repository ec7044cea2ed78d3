import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { file, messageType, messageTypeNames } from '../../../src/proto/embedded.js';
import { ClusterSchema } from '../../../src/proto/envoy/config/cluster/v3/cluster_pb.js';

describe('the generated protos', () => {
  it('are fresh', () => {
    const generator = join(import.meta.dirname, '../../../tools/proto/generate.ts');
    execFileSync(process.execPath, [generator, '--check'], { stdio: 'pipe' });
  });

  it('can all be hydrated', () => {
    let messages = 0;
    for (const name of messageTypeNames()) {
      expect(messageType(name)!.typeName).toBe(name);
      messages++;
    }
    expect(messages).toBeGreaterThan(1500);
  });

  it('are the same objects by name and by import', () => {
    const endpoints = messageType('envoy.config.endpoint.v3.ClusterLoadAssignment');
    // Compared outside of expect, which would print the whole graph.
    expect(messageType('envoy.config.cluster.v3.Cluster') === ClusterSchema).toBe(true);
    expect(file('envoy/config/cluster/v3/cluster.proto').messages.includes(ClusterSchema)).toBe(true);
    expect(ClusterSchema.field.loadAssignment.message === endpoints).toBe(true);
  });

  it('know their imports', () => {
    const names = file('envoy/config/endpoint/v3/endpoint.proto').dependencies.map(
      (dependency) => dependency.proto.name,
    );
    expect(names).toContain('google/protobuf/duration.proto');
    expect(names).toContain('envoy/config/endpoint/v3/endpoint_components.proto');
  });

  it('read and write', () => {
    const cluster = create(ClusterSchema, { name: 'a', connectTimeout: { seconds: 1n } });
    expect(fromBinary(ClusterSchema, toBinary(ClusterSchema, cluster))).toEqual(cluster);
  });

  it('throw for a file that there is not', () => {
    expect(() => file('a.proto')).toThrow('no descriptor of a.proto');
    expect(messageType('a.B')).toBeUndefined();
  });
});
