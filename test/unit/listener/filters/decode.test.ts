import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../../src/config/document.ts';
import { parseMessage } from '../../../../src/config/parse.ts';
import { ExtensionTable } from '../../../../src/control/extension-table.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import { extensionEntries } from '../../../../src/extensions.ts';
import { Clock } from '../../../../src/core/clock.ts';
import { emptyRuntime } from '../../../../src/core/runtime-view.ts';
import { ListenerFilterBuilders } from '../../../../src/listener/filters/build.ts';
import { decodeListenerFilters } from '../../../../src/listener/filters/decode.ts';
import type { ListenerFilterData } from '../../../../src/listener/listener-data.ts';
import { ListenerSchema } from '../../../../src/proto/envoy/config/listener/v3/listener_pb.js';
import { RecordingStats } from '../../cluster/recording-stats.ts';
import { socketPeer } from './look.ts';

const package_ = 'envoy.extensions.filters.listener.';

async function decode(
  type: string,
  settings = '',
  more = '',
): Promise<{ data: ListenerFilterData[]; reasons: string[] }> {
  const filter = `{ name: f, typed_config: { '@type': type.googleapis.com/${package_}${type}, ${settings} } ${more} }`;
  const { message } = parseMessage(readConfig({ text: `listener_filters: [${filter}]` }), ListenerSchema);
  const extensions = new ExtensionTable(extensionEntries);
  await extensions.load([package_ + type]);
  const reasons = new Reasons();
  const data = decodeListenerFilters(message.listenerFilters, reasons, extensions);
  return { data, reasons: reasons.list.map(({ path, message: text }) => `${path}: ${text}`) };
}

describe('as plain data', () => {
  it('tls_inspector', async () => {
    const { data } = await decode('tls_inspector.v3.TlsInspector', 'enable_ja4_fingerprinting: true');
    expect(data).toMatchObject([
      {
        name: 'f',
        data: { wantsJa3: false, wantsJa4: true, closesOnParsingErrors: false, helloBytesMax: 16_384 },
        disabled: null,
      },
    ]);
  });

  it('proxy_protocol', async () => {
    const settings = `rules: [{ tlv_type: 258, on_tlv_present: { key: a } }], disallowed_versions: [V1],
      pass_through_tlvs: { match_type: INCLUDE, tlv_type: [5] }, stat_prefix: p`;
    const { data, reasons } = await decode('proxy_protocol.v3.ProxyProtocol', settings);
    expect(reasons).toEqual([]);
    expect(data[0].data).toEqual({
      allowsNone: false,
      allowsVersion1: false,
      allowsVersion2: true,
      rules: [{ type: 2, namespace: 'envoy.filters.listener.proxy_protocol', key: 'a', encoding: 'SANITIZED_UTF8' }],
      passThrough: [5],
      statPrefix: 'p',
    });
  });

  it('original_src', async () => {
    expect((await decode('original_src.v3.OriginalSrc', 'mark: 7')).data).toMatchObject([{ data: { mark: 7 } }]);
  });

  it('http_inspector', async () => {
    expect((await decode('http_inspector.v3.HttpInspector')).data).toMatchObject([{ name: 'f', data: null }]);
  });
});

it.each([
  ['tls_inspector.v3.TlsInspector', 'max_client_hello_size: 20000', 'is greater than maximum of 16384'],
  ['proxy_protocol.v3.ProxyProtocol', 'disallowed_versions: [V1, V2]', 'all proxy protocol versions are disallowed'],
  ['proxy_protocol.v3.ProxyProtocol', 'tlv_location: FILTER_STATE', "field 'tlv_location' is FILTER_STATE"],
  ['set_filter_state.v3.Config', '', 'is not supported by sekisho'],
])('refused: %s with %s', async (type, settings, reason) => {
  expect((await decode(type, settings)).reasons.join('\n')).toContain(reason);
});

describe('filter_disabled', () => {
  const range = (start: number, end: number): string => `destination_port_range: { start: ${start}, end: ${end} }`;

  it.each([
    ['any_match: true', [true, true]],
    [range(80, 443), [true, false]],
    [`not_match: { ${range(80, 443)} }`, [false, true]],
    [`or_match: { rules: [{ ${range(80, 81)} }, { ${range(443, 444)} }] }`, [true, true]],
    [`and_match: { rules: [{ any_match: true }, { ${range(443, 444)} }] }`, [false, true]],
  ])('%s, of ports 80 and 443', async (predicate, expected) => {
    const { data, reasons } = await decode(
      'http_inspector.v3.HttpInspector',
      '',
      `, filter_disabled: { ${predicate} }`,
    );
    expect(reasons).toEqual([]);
    const builders = new ListenerFilterBuilders();
    await builders.load(data.map(({ kind }) => kind));
    const [{ isDisabled }] = builders.build(data, {
      root: new RecordingStats(),
      runtime: emptyRuntime,
      clock: new Clock(),
    });
    const to = (port: number): boolean => isDisabled!({ ...socketPeer, local: { ...socketPeer.local, port } });
    expect([80, 443].map(to)).toEqual(expected);
  });
});
