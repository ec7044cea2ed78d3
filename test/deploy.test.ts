/** `deploy/` is read as strictly as Kubernetes reads it, and differs from stock Istio in nothing but the image. */
import { Ajv } from 'ajv';
import { load, loadAll } from 'js-yaml';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const deploy = join(import.meta.dirname, '../deploy');
const schema = JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures/kubernetes/schema.json'), 'utf8')) as Record<
  string,
  unknown
>;
const ajv = new Ajv({ allErrors: true, strict: false }).addSchema(schema, 'kubernetes');
const image = 'registry.example.com/sekisho:latest';

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
}

const packages: Readonly<Record<string, string>> = { v1: 'core.v1', 'apps/v1': 'apps.v1' };

function faults(manifest: Manifest): readonly string[] {
  const { apiVersion, kind } = manifest;
  const validate = ajv.getSchema(`kubernetes#/$defs/io.k8s.api.${packages[apiVersion]}.${kind}`);
  if (validate === undefined) return [`nobody knows ${apiVersion} ${kind}`];
  void validate(manifest);
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}

function text(path: string): string {
  return readFileSync(join(deploy, path), 'utf8');
}

const manifests = readdirSync(deploy, { recursive: true, encoding: 'utf8' }).filter(
  (path) => path.endsWith('.yaml') && !path.endsWith('values.yaml'),
);

describe('manifests', () => {
  test.each(manifests)('%s is one to Kubernetes', (path) => {
    const objects = loadAll(text(path)) as Manifest[];
    expect(objects.length).toBeGreaterThan(0);
    expect(objects.flatMap(faults)).toEqual([]);
  });

  test('a field that Kubernetes does not know is found', () => {
    const [pod] = loadAll(text('sidecar/pod.yaml').replace('image: registry.k8s.io', 'imagee: registry.k8s.io'));
    expect(faults(pod as Manifest)).toEqual([expect.stringContaining('"additionalProperty":"imagee"')]);
  });

  test('every one has the image that the README says', () => {
    for (const path of manifests) expect(text(path)).toContain(image);
  });
});

describe('values for Istio’s charts', () => {
  test('name the image and nothing else', () => {
    expect(load(text('ztunnel-values.yaml'))).toEqual({ image });
    expect(load(text('sidecar/values.yaml'))).toEqual({ global: { proxy: { image }, proxy_init: { image } } });
  });
});
