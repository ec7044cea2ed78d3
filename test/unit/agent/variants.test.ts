import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Environment } from '../../../src/agent/environment.ts';
import { settings, type Settings } from '../../../src/agent/settings.ts';
import { readCommandLine } from '../../../src/cli/command-line.ts';

/** What a genuine pilot-agent was told, and what came of it. */
interface Variant {
  readonly name: string;
  readonly flags: readonly string[];
  readonly environment: Record<string, string>;
  readonly files: Record<string, string>;
  readonly addresses: readonly string[];
  readonly arguments: readonly string[];
  readonly bootstrap: unknown;
}

const folder = join(import.meta.dirname, '../../fixtures/pilot-agent/variants');
const variants = readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Variant);

/** Where pilot-agent writes what Envoy does not read, or says the same in other words. */
const differences: Readonly<Record<string, readonly (readonly [theirs: string, ours: string])[]>> = {
  // The other of a field's two names in JSON.
  'dual-stack': [['"additionalAddresses"', '"additional_addresses"']],
  // A duration of Go, which no message of protobuf takes.
  annotations: [['"stats_flush_interval":"1m30s"', '"stats_flush_interval":"90s"']],
  // Numbers in objects, which no message of protobuf takes.
  services: [
    ['"keepalive_probes":{"value":3}', '"keepalive_probes":3'],
    ['"keepalive_time":{"value":10}', '"keepalive_time":10'],
    ['"keepalive_interval":{"value":5}', '"keepalive_interval":5'],
  ],
};

function made({ flags, environment, files, addresses }: Variant): Settings {
  const template = '--templateFile=/var/lib/istio/envoy/envoy_bootstrap_tmpl.json';
  const invocation = readCommandLine(['agent', 'proxy', ...flags, template], '');
  if (invocation.command !== 'agent') throw new Error('flags of the agent are not taken');
  const surroundings = {
    environment: new Environment(environment),
    readFile: (path: string): string | null => files[path.startsWith('./') ? path : `./${path}`] ?? null,
    addresses,
    addressesOf: () => [],
  };
  return settings(invocation.flags, surroundings, { hasCredentialSocket: false, hasIdentitySocket: false });
}

test.each(variants.map((variant) => [variant.name, variant] as const))(
  'what a genuine pilot-agent made of the same: %s',
  (name, variant) => {
    const found = made(variant);
    let theirs = JSON.stringify(variant.bootstrap);
    for (const [from, to] of differences[name] ?? []) {
      expect(theirs).toContain(from);
      theirs = theirs.replaceAll(from, to);
    }
    expect(found.bootstrap).toEqual(JSON.parse(theirs));
    expect(found.arguments).toEqual(variant.arguments);
    expect(found.environment.complaints).toEqual([]);
  },
);
