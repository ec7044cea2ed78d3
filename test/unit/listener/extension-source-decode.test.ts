import { EmptySchema } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import type { Extensions } from '../../../src/core/extension.ts';
import { Reasons } from '../../../src/core/rejection.ts';
import { decodeExtensionSource } from '../../../src/listener/extension-source-decode.ts';
import { ExtensionSources } from '../../../src/listener/extension-sources.ts';
import { ExtensionConfigSourceSchema } from '../../../src/proto/envoy/config/core/v3/config_source_pb.js';
import { anyPack, create, fromJson } from '../../../src/proto/protobuf.js';

const known = 'type.googleapis.com/a.Known';

function decode(
  json: object,
  hasDefault = false,
  configs: ExtensionSources | null = new ExtensionSources(),
  { kind = 'a.Known', isLast }: { readonly kind?: string; readonly isLast?: boolean } = {},
) {
  const message = fromJson(ExtensionConfigSourceSchema, json as never);
  if (hasDefault) message.defaultConfig = anyPack(EmptySchema, create(EmptySchema));
  const reasons = new Reasons();
  const extensions: Extensions = {
    ...(configs !== null && { configs }),
    knows: (name) => name === 'a.Known' || name === kind,
    open: (_category, name) => ({ name, kind, data: 'default' }),
  };
  const ref = decodeExtensionSource(message, 'f', 'envoy.filters.http', reasons, extensions, isLast);
  return {
    ref,
    needed: configs?.take() ?? [],
    reasons: reasons.list.map(({ path, message: said }) => `${path}: ${said}`),
  };
}

test('what is needed is known by a key, the same for the same', () => {
  const json = { config_source: { ads: {} }, type_urls: [known] };
  const { ref, needed, reasons } = decode(json, true);
  expect(reasons).toEqual([]);
  expect(ref).toEqual({ key: needed[0].key, kinds: ['a.Known'] });
  expect(needed[0]).toMatchObject({ name: 'f', kinds: ['a.Known'], startsWithFallback: false });
  expect(needed[0].fallback?.data).toBe('default');
  expect(decode(json, true).ref).toEqual(ref);
  expect(decode(json).ref).not.toEqual(ref);
});

test.each<[object, string]>([
  [
    { config_source: { ads: {} }, type_urls: ['type.googleapis.com/a.Unknown'] },
    "type_urls[0]: extension 'f' (envoy.filters.http) of type 'a.Unknown' is not supported by sekisho",
  ],
  [
    { config_source: { ads: {} }, type_urls: [known], apply_default_config_without_warming: true },
    ': Error: filter config f applied without warming but has no default config.',
  ],
])('%j is refused', (json, said) => {
  const { ref, reasons } = decode(json);
  expect(ref).toBeNull();
  expect(reasons).toEqual([said]);
});

test('where nothing may come later it is refused', () => {
  const { reasons } = decode({ config_source: { ads: {} }, type_urls: [known] }, false, null);
  expect(reasons).toEqual(['config_source: configurations of filters by ECDS are not supported by sekisho here']);
});

test('a default must be one of those that may come', () => {
  const { ref, reasons } = decode({ config_source: { ads: {} }, type_urls: [known] }, true, undefined, {
    kind: 'a.Other',
  });
  expect(ref).toBeNull();
  expect(reasons).toEqual(['default_config: Error: filter config has type URL a.Other but expect a.Known.']);
});

test('a default of a network filter must be one for its place', () => {
  const kind = 'envoy.extensions.filters.network.echo.v3.Echo';
  const json = { config_source: { ads: {} }, type_urls: [`type.googleapis.com/${kind}`] };
  const last = decode(json, true, undefined, { kind, isLast: true });
  expect(last.reasons).toEqual([]);
  expect(last.needed[0].isLast).toBe(true);
  const inFront = decode(json, true, undefined, { kind, isLast: false });
  expect(inFront.reasons).toEqual([
    'default_config: Error: terminal filter named f of type envoy.filters.network.echo must be the last filter in a network filter chain.',
  ]);
  // What may stand in one place may not stand in the other.
  expect(decode(json, false, undefined, { kind, isLast: false }).ref).not.toEqual(
    decode(json, false, undefined, { kind, isLast: true }).ref,
  );
});
