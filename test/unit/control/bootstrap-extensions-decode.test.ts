import type { MessageInitShape } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import {
  decodeBootstrapExtensions,
  internalListenerDecoder,
  workloadDiscoveryDecoder,
} from '../../../src/control/bootstrap-extensions-decode.ts';
import type { Extensions } from '../../../src/core/extension.ts';
import { Reasons } from '../../../src/core/rejection.ts';
import { TypedExtensionConfigSchema } from '../../../src/proto/envoy/config/core/v3/extension_pb.js';
import { InternalListenerSchema } from '../../../src/proto/envoy/extensions/bootstrap/internal_listener/v3/internal_listener_pb.js';
import { BootstrapExtensionSchema } from '../../../src/proto/istio/workload_discovery_pb.js';
import { anyPack, create } from '../../../src/proto/protobuf.js';

const extensions: Extensions = {
  open: (_category, name, config, reasons) =>
    name === 'unknown'
      ? null
      : { name, kind: internalListenerDecoder.kind, data: internalListenerDecoder.decode(config!.value, reasons) },
};

function decode(name: string, bufferSizeKb?: number) {
  const typedConfig = anyPack(
    InternalListenerSchema,
    create(InternalListenerSchema, bufferSizeKb === undefined ? {} : { bufferSizeKb }),
  );
  const config = create(TypedExtensionConfigSchema, { name, typedConfig });
  return decodeBootstrapExtensions([config], new Reasons('bootstrap'), extensions, true);
}

test('internal listeners hold 1 MiB unless said otherwise', () => {
  expect(decode('internal')).toEqual({ internal: { bufferBytes: 1024 * 1024 }, workloads: null });
  expect(decode('internal', 8).internal).toEqual({ bufferBytes: 8192 });
});

test('without the extension there are none', () => {
  const none = { internal: null, workloads: null };
  expect(decodeBootstrapExtensions([], new Reasons('bootstrap'), extensions, true)).toEqual(none);
  expect(decode('unknown')).toEqual(none);
});

test('workloads are told by the source that is named, which there must be', () => {
  const told = (hasAds: boolean, message: MessageInitShape<typeof BootstrapExtensionSchema>) => {
    const reasons = new Reasons();
    const typedConfig = anyPack(BootstrapExtensionSchema, create(BootstrapExtensionSchema, message));
    const config = create(TypedExtensionConfigSchema, { name: 'workloads', typedConfig });
    const { kind } = workloadDiscoveryDecoder;
    const open: Extensions['open'] = (_, name, packed, at) => ({
      name,
      kind,
      data: workloadDiscoveryDecoder.decode(packed!.value, at),
    });
    const { workloads } = decodeBootstrapExtensions([config], reasons, { open }, hasAds);
    return reasons.list.length > 0 ? reasons.list.map(({ path }) => path) : workloads?.from.kind;
  };
  const ads = { configSource: { configSourceSpecifier: { case: 'ads', value: {} } } } as const;
  expect(told(true, ads)).toBe('ads');
  expect(told(false, ads)).toEqual(['bootstrap_extensions[0].typed_config.config_source']);
  expect(told(true, {})).toEqual(['bootstrap_extensions[0].config_source']);
});
