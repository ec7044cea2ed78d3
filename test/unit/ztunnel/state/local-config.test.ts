import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dumpPolicy, dumpService, dumpWorkload } from '../../../../src/ztunnel/state/dump.ts';
import { LocalConfigError, readLocalConfig } from '../../../../src/ztunnel/state/local/local-config.ts';
import { Mesh } from '../../../../src/ztunnel/state/mesh.ts';

const folder = join(import.meta.dirname, '../../../fixtures/ztunnel/local');

type Named = { readonly name: string; readonly namespace: string };
const sorted = (items: readonly object[]): object[] => {
  const key = (item: object): string => `${(item as Named).namespace}/${(item as Named).name}`;
  return [...items].toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
};

test.each(['dedicated-basic', 'services', 'policies'])('%s.yaml is dumped as ztunnel dumps it', (name) => {
  const mesh = new Mesh();
  mesh.apply(readLocalConfig(readFileSync(join(folder, `${name}.yaml`), 'utf8')));
  const dumped = {
    workloads: sorted([...mesh.allWorkloads].map(dumpWorkload)),
    services: sorted([...mesh.services.all].map((service) => dumpService(service, mesh))),
    policies: sorted([...mesh.allPolicies].map(dumpPolicy)),
  };
  const expected: unknown = JSON.parse(readFileSync(join(folder, `${name}.config_dump.json`), 'utf8'));
  expect(JSON.parse(JSON.stringify(dumped))).toEqual(expected);
});

test.each([
  ['workloads: [{ name: a, namespace: b, services: {}, colour: red }]', 'workloads[0].colour: unknown field'],
  ['workloads: [{ name: a, namespace: b }]', 'workloads[0].services: is missing'],
  ['workloads: [{ name: a, namespace: b, services: {}, workloadIps: [x] }]', 'workloadIps[0]: expected an address'],
  ['services: [{ name: a, namespace: b, hostname: c, vips: [1.2.3.4] }]', 'vips[0]: expected network/address'],
  [
    'policies: [{ name: a, namespace: b, scope: Global, action: Allow, dryRun: false, rules: [[[{ principals: [x] }]]] }]',
    'expected !Exact, !Prefix, !Suffix or !Presence',
  ],
  ['{', 'local config'.slice(0, 0)],
])('%s is refused', (text, problem) => {
  expect(() => readLocalConfig(text)).toThrow(LocalConfigError);
  expect(() => readLocalConfig(text)).toThrow(problem);
});
