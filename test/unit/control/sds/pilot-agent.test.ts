import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { certificatesOfPem } from '../../../../src/identity/pem.ts';
import type { ValidationSecret } from '../../../../src/identity/secret-data.ts';
import { startSds } from '../../../start-sds.ts';
import { folder, grpcSecret, SecretWorld } from './secret-world.ts';

const recorded = (name: string): Buffer =>
  readFileSync(join(import.meta.dirname, '../../../fixtures/pilot-agent-sds', `${name}.pb`));

test("a genuine pilot-agent's certificate and root come over a Unix socket", async () => {
  const path = join(folder(), 'socket');
  const server = await startSds(`unix:${path}`);
  const world = new SecretWorld();
  world.xds.addCluster('sds', { kind: 'pipe', host: path, port: 0 });
  world.directory.need('cluster/c', [grpcSecret('default'), grpcSecret('ROOTCA', 'validation')]);
  world.directory.start(['sds/default', 'sds/ROOTCA']);
  for (const name of ['default', 'ROOTCA']) {
    await server.request(name);
    server.streamFor(name)!.write(recorded(name));
  }
  await world.directory.whenReady(['sds/default', 'sds/ROOTCA']);
  const [leaf] = certificatesOfPem(world.chainOf('sds/default'));
  expect(leaf.uris[0]).toMatch(/^spiffe:\/\/cluster\.local\/ns\//);
  const { trustedCaPem } = world.directory.get('sds/ROOTCA') as ValidationSecret;
  expect(certificatesOfPem(trustedCaPem)[0].isAuthority).toBe(true);
  expect(world.xds.shown('sds.default')).toMatchObject({ update_success: 1, version_text: expect.stringMatching(/Z/) });
});
