import { fromBinary } from '@bufbuild/protobuf';
import type { ExtensionDecoder } from './core/extension.ts';
import type { ExtensionEntry } from './control/extension-table.ts';
import { filterDecoders } from './filter/decoders.ts';

const networkFilters = 'envoy.filters.network';

/** Every extension that a configuration may name. Decoders are loaded when one does. */
export const extensionEntries: readonly ExtensionEntry[] = [
  ...filterDecoders,
  {
    category: networkFilters,
    kind: 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    load: loadHttpConnectionManager,
  },
  { category: networkFilters, kind: 'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy', load: loadTcpProxy },
  rawBuffer('envoy.transport_sockets.downstream'),
];

async function loadHttpConnectionManager(): Promise<ExtensionDecoder> {
  const [{ decodeHttpConnectionManager }, { HttpConnectionManagerSchema }] = await Promise.all([
    import('./proxy/http/decode.ts'),
    import('./proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js'),
  ]);
  return {
    kind: HttpConnectionManagerSchema.typeName,
    decode: (bytes, reasons, extensions) =>
      decodeHttpConnectionManager(fromBinary(HttpConnectionManagerSchema, bytes), reasons, extensions),
  };
}

async function loadTcpProxy(): Promise<ExtensionDecoder> {
  const [{ decodeTcpProxy }, { TcpProxySchema }] = await Promise.all([
    import('./proxy/tcp/decode.ts'),
    import('./proto/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js'),
  ]);
  return {
    kind: TcpProxySchema.typeName,
    decode: (bytes, reasons, extensions) => decodeTcpProxy(fromBinary(TcpProxySchema, bytes), reasons, extensions),
  };
}

/** Plain text: nothing to decode. */
function rawBuffer(category: string): ExtensionEntry {
  const kind = 'envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer';
  return { category, kind, load: () => Promise.resolve({ kind, decode: () => ({}) }) };
}
