import { expect, test } from 'vitest';
import {
  decodeBootstrapExtensions,
  internalListenerDecoder,
} from '../../../src/control/bootstrap-extensions-decode.ts';
import type { Extensions } from '../../../src/core/extension.ts';
import { Reasons } from '../../../src/core/rejection.ts';
import { TypedExtensionConfigSchema } from '../../../src/proto/envoy/config/core/v3/extension_pb.js';
import { InternalListenerSchema } from '../../../src/proto/envoy/extensions/bootstrap/internal_listener/v3/internal_listener_pb.js';
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
  return decodeBootstrapExtensions([config], new Reasons('bootstrap'), extensions);
}

test('internal listeners hold 1 MiB unless said otherwise', () => {
  expect(decode('internal')).toEqual({ bufferBytes: 1024 * 1024 });
  expect(decode('internal', 8)).toEqual({ bufferBytes: 8192 });
});

test('without the extension there are none', () => {
  expect(decodeBootstrapExtensions([], new Reasons('bootstrap'), extensions)).toBeNull();
  expect(decode('unknown')).toBeNull();
});
