/** What CNI plugins, control planes and peers send to a ztunnel, damaged: it is refused or taken, and ends nothing. */
import { expect, test } from 'vitest';
import type { Connection } from '../../src/core/connection.ts';
import { Headers } from '../../src/core/headers.ts';
import { DeltaDiscoveryResponseSchema } from '../../src/proto/envoy/service/discovery/v3/discovery_pb.js';
import { fromBinary } from '../../src/proto/protobuf.js';
import { CniError, readCniRequest } from '../../src/ztunnel/cni/cni-messages.ts';
import { Destinations } from '../../src/ztunnel/choice/destination.ts';
import { judge } from '../../src/ztunnel/policy/access.ts';
import { decodeAddress } from '../../src/ztunnel/state/address-decode.ts';
import { decodeAuthorization } from '../../src/ztunnel/state/authorization-decode.ts';
import { dumpPolicy, dumpService, dumpWorkload } from '../../src/ztunnel/state/dump.ts';
import { Mesh, noChange, type MeshChange } from '../../src/ztunnel/state/mesh.ts';
import type { Policy } from '../../src/ztunnel/state/policy.ts';
import type { Service } from '../../src/ztunnel/state/service.ts';
import type { Workload } from '../../src/ztunnel/state/workload.ts';
import { readRevocationLists, RevocationListError } from '../../src/identity/revocation-list.ts';
import { Authority } from '../certificates.ts';
import { Heard, HboneWorld } from '../unit/tunnel/hbone/world.ts';
import { block, frame, preface, uint32 } from '../wire/h2-frames.ts';
import { recorded } from '../xds/recorded-control-plane.ts';
import * as fc from './chance.ts';

/** Some bytes of a message have become others, and its end may be missing. */
function damaged(messages: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(
      fc.constantFrom(...messages),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
      fc.option(fc.nat(), { freq: 4 }),
    )
    .map(([message, changes, cut]) => {
      const bytes = Uint8Array.from(message);
      for (const [at, value] of changes) bytes[at % bytes.length] = value;
      return cut === null ? bytes : bytes.subarray(0, cut % (bytes.length + 1));
    });
}

const resources = recorded('ambient/ztunnel', 'delta').map(({ bytes }) =>
  fromBinary(DeltaDiscoveryResponseSchema, bytes).resources.map(({ resource }) => resource!.value),
);
const [addresses, policies] = resources;

/** The message as it is meant, or null where it is refused. */
function decoded<T>(decode: (packed: Uint8Array) => T, packed: Uint8Array): T | null {
  try {
    return decode(packed);
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    return null;
  }
}

function changeOf(packedAddresses: readonly Uint8Array[], packedPolicies: readonly Uint8Array[]): MeshChange {
  const workloads: Workload[] = [];
  const services: Service[] = [];
  for (const packed of packedAddresses) {
    const address = decoded(decodeAddress, packed);
    if (address?.kind === 'workload') workloads.push(address.workload);
    else if (address !== null) services.push(address.service);
  }
  const taken: Policy[] = packedPolicies.flatMap((packed) => decoded(decodeAuthorization, packed) ?? []);
  return { ...noChange, workloads, services, policies: taken };
}

/** Everything that is asked of a mesh. */
function askAll(mesh: Mesh): void {
  const destinations = new Destinations(mesh, '');
  const clients = [...mesh.allWorkloads];
  const hosts = [...clients.flatMap(({ workloadIps }) => workloadIps), '127.0.5.10', '10.1.1.1', 'fd00::1'];
  for (const client of clients.slice(0, 5)) {
    for (const host of hosts) expect(destinations.plan({ client, host, port: 80 })).toBeTruthy();
    judge(mesh.policiesOf(client), {
      sourceIp: '127.0.4.11',
      identity: 'spiffe://cluster.local/ns/default/sa/client',
      destinationIp: client.workloadIps[0] ?? '',
      destinationPort: 8080,
    });
  }
  const dump = [
    ...[...mesh.allWorkloads].map(dumpWorkload),
    ...[...mesh.services.all].map((service) => dumpService(service, mesh)),
    ...[...mesh.allPolicies].map(dumpPolicy),
  ];
  expect(JSON.stringify(dump)).toBeTruthy();
}

test('damaged resources of istiod are refused, or make a mesh that can be asked', () => {
  fc.assert(
    fc.property(
      fc.array(damaged(addresses), { maxLength: 12 }),
      fc.array(damaged(policies), { maxLength: 4 }),
      (someAddresses, somePolicies) => {
        const mesh = new Mesh();
        mesh.apply(changeOf(someAddresses, somePolicies));
        askAll(mesh);
      },
    ),
    { numRuns: 300 },
  );
});

test('whatever came and went, what is removed is gone', () => {
  const change = changeOf(addresses, policies);
  fc.assert(
    fc.property(fc.array(damaged(addresses), { maxLength: 20 }), (some) => {
      const mesh = new Mesh();
      mesh.apply(change);
      mesh.apply(changeOf(some, []));
      const names = [
        ...[...mesh.allWorkloads].map(({ uid }) => uid),
        ...[...mesh.services.all].map(({ namespace, hostname }) => `${namespace}/${hostname}`),
      ];
      const gone = [...mesh.allPolicies].map(({ namespace, name }) => `${namespace}/${name}`);
      mesh.apply({ ...noChange, removedAddresses: names, removedPolicies: gone });
      // A name with more slashes than a service has may be of a workload only.
      const rest = [...mesh.services.all].filter(({ hostname }) => !hostname.includes('/'));
      expect([[...mesh.allWorkloads].length, rest.length, [...mesh.allPolicies].length]).toEqual([0, 0, 0]);
      for (const { workloadIps, network } of change.workloads)
        for (const ip of workloadIps) expect(mesh.workloadByIp(network, ip)).toBeNull();
    }),
  );
});

test('damaged packets of a CNI plugin are messages or are refused', () => {
  const text = (field: number, value: string): Buffer =>
    Buffer.concat([Buffer.of((field << 3) | 2, value.length), Buffer.from(value)]);
  const nested = (field: number, ...parts: Buffer[]): Buffer => {
    const content = Buffer.concat(parts);
    return Buffer.concat([Buffer.of((field << 3) | 2, content.length), content]);
  };
  const info = nested(2, text(1, 'client'), text(2, 'shop'), text(3, 'client'));
  const packets = [
    nested(1, text(1, 'uid-1'), info),
    nested(2, text(2, 'uid-1')),
    nested(3),
    nested(5, text(1, 'uid-1')),
  ];
  fc.assert(
    fc.property(damaged(packets), (packet) => {
      try {
        expect(['add', 'keep', 'delete', 'snapshot-sent']).toContain(readCniRequest(packet).kind);
      } catch (error) {
        expect(error).toBeInstanceOf(CniError);
      }
    }),
    { numRuns: 1000 },
  );
});

test('damaged revocation lists are lists or are refused', async () => {
  const root = await Authority.root();
  const pem = Buffer.from(await root.revoke([await root.issue(), await root.issue()]));
  const der = Buffer.from(pem.toString().replaceAll(/-----[^-]+-----|\n/g, ''), 'base64');
  fc.assert(
    fc.property(damaged([pem, der]), (file) => {
      try {
        expect(readRevocationLists(file).size).toBeGreaterThan(-1);
      } catch (error) {
        expect(error).toBeInstanceOf(RevocationListError);
      }
    }),
    { numRuns: 1000 },
  );
});

const streamId = fc.constantFrom(0, 1, 3, 5, 7);
const connect = block([
  [':method', 'CONNECT'],
  [':authority', '10.0.0.1:80'],
]);
const anyFrame = fc.oneof(
  { weight: 4, arbitrary: streamId.map((id) => frame(1, 4, id, connect)) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom(0, 1), streamId, fc.uint8Array({ maxLength: 100 }))
      .map(([end, id, data]) => frame(0, end, id, data)),
  },
  { weight: 2, arbitrary: fc.tuple(streamId, fc.nat(13)).map(([id, code]) => frame(3, 0, id, uint32(code))) },
  { weight: 1, arbitrary: fc.tuple(streamId, fc.nat(1000)).map(([id, size]) => frame(8, 0, id, uint32(size))) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.nat(12), fc.nat(255), streamId, fc.uint8Array({ maxLength: 40 }))
      .map(([type, flags, id, payload]) => frame(type, flags, id, payload)),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)) },
);

test('whatever a client of HBONE sends, the connections beside it go on, and nothing of it stays open', async () => {
  const served = new Set<Connection>();
  const world = await HboneWorld.open((tunnel) => {
    tunnel.accept(new Headers(), (connection) => {
      served.add(connection);
      connection.attach({
        onBytes: (chunk) => void connection.write(Buffer.from(chunk)),
        onDrain: () => {},
        onEnd: () => connection.end(),
        onClosed: () => void served.delete(connection),
      });
    });
  });
  const { tunnel, heard } = await world.tunnel();
  const beside = served.size;
  let rounds = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(anyFrame, { maxLength: 30 }), async (frames) => {
      const client = await world.dial();
      const own = new Heard();
      client.attach(own);
      client.write(Buffer.concat([Buffer.from(preface), frame(4, 0, 0), ...frames]));
      client.end();
      await own.until(({ hasEnded, failure }) => hasEnded || failure !== null);
      tunnel.write(Buffer.from('.'));
      rounds++;
      await heard.until(({ bytes }) => bytes === rounds);
      await expect.poll(() => served.size).toBe(beside);
    }),
    { numRuns: 200 },
  );
}, 60_000);
