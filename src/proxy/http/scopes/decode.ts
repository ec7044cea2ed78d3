import { digestOf } from '../../../core/digest.ts';
import type { Extensions } from '../../../core/extension.ts';
import type { Reasons } from '../../../core/rejection.ts';
import { SupportedFields } from '../../../core/supported-fields.ts';
import type { ConfigSourceData } from '../../../identity/config-source-data.ts';
import { decodeConfigSource } from '../../../identity/decode/config-source-decode.ts';
import type { ScopedRouteConfiguration } from '../../../proto/envoy/config/route/v3/scoped_route_pb.js';
import type { ConfigSource } from '../../../proto/envoy/config/core/v3/config_source_pb.js';
import {
  ScopedRdsSchema,
  ScopedRouteConfigurationsListSchema,
  ScopedRoutes_ScopeKeyBuilder_FragmentBuilder_HeaderValueExtractor_KvElementSchema as KvElementSchema,
  ScopedRoutes_ScopeKeyBuilder_FragmentBuilder_HeaderValueExtractorSchema as ExtractorSchema,
  ScopedRoutes_ScopeKeyBuilder_FragmentBuilderSchema as FragmentBuilderSchema,
  ScopedRoutes_ScopeKeyBuilderSchema as ScopeKeyBuilderSchema,
  ScopedRoutesSchema,
  type ScopedRoutes,
  type ScopedRoutes_ScopeKeyBuilder_FragmentBuilder as FragmentBuilder,
} from '../../../proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js';
import { lowerAscii, wireText } from '../../../route/wire-text.ts';
import { decodeScope, scopeConflict } from './scope-decode.ts';
import type { ScopeData, ScopedRoutesData, ScopeFragmentData } from './scoped-routes-data.ts';
import { ScopeSources } from './scope-sources.ts';

const supported = new SupportedFields(ScopedRoutesSchema, [
  'name',
  'scope_key_builder',
  'rds_config_source',
  'scoped_route_configurations_list',
  'scoped_rds',
]);
const listFields = new SupportedFields(ScopedRouteConfigurationsListSchema, ['scoped_route_configurations']);
const rdsFields = new SupportedFields(ScopedRdsSchema, ['scoped_rds_config_source']);
const keyBuilderFields = new SupportedFields(ScopeKeyBuilderSchema, ['fragments']);
const fragmentFields = new SupportedFields(FragmentBuilderSchema, ['header_value_extractor']);
const extractorFields = new SupportedFields(ExtractorSchema, ['name', 'element_separator', 'index', 'element']);
const elementFields = new SupportedFields(KvElementSchema, ['separator', 'key']);

/** `scoped_routes`. Null: reasons were added. */
export function decodeScopedRoutes(
  message: ScopedRoutes,
  statPrefix: string,
  reasons: Reasons,
  extensions: Extensions,
): ScopedRoutesData | null {
  supported.check(message, reasons);
  const before = reasons.list.length;
  const builder = message.scopeKeyBuilder;
  if (builder !== undefined) keyBuilderFields.check(builder, reasons.at('scope_key_builder'));
  const fragments = (builder?.fragments ?? []).flatMap(
    (fragment, i) => decodeFragment(fragment, reasons.at('scope_key_builder').at('fragments', i)) ?? [],
  );
  const rdsSource = decodeSource(message.rdsConfigSource, reasons.at('rds_config_source'));
  const { configSpecifier } = message;
  let discovery: string | null = null;
  let scopes: readonly ScopeData[] = [];
  if (configSpecifier.case === 'scopedRds') {
    const at = reasons.at('scoped_rds');
    rdsFields.check(configSpecifier.value, at);
    const source = decodeSource(configSpecifier.value.scopedRdsConfigSource, at.at('scoped_rds_config_source'));
    if (source !== null) discovery = need(message.name, source, rdsSource, statPrefix, at, extensions);
  } else if (configSpecifier.case === 'scopedRouteConfigurationsList') {
    const at = reasons.at('scoped_route_configurations_list');
    listFields.check(configSpecifier.value, at);
    scopes = decodeList(configSpecifier.value.scopedRouteConfigurations, statPrefix, at, extensions);
  }
  return reasons.list.length > before ? null : { fragments, discovery, scopes };
}

function decodeSource(message: ConfigSource | undefined, reasons: Reasons): ConfigSourceData | null {
  return message === undefined ? null : decodeConfigSource(message, reasons);
}

/** Says that the scopes are needed. @returns their key */
function need(
  name: string,
  source: ConfigSourceData,
  rdsSource: ConfigSourceData | null,
  statPrefix: string,
  reasons: Reasons,
  extensions: Extensions,
): string | null {
  const sources = ScopeSources.of(extensions);
  if (sources === null) {
    reasons.add('scopes by SRDS are not supported by sekisho here');
    return null;
  }
  const digest = digestOf(JSON.stringify([source, rdsSource]));
  const key = `srds/${statPrefix}/${name}/${digest}`;
  sources.need({ key, name, source, rdsSource, statPrefix });
  return key;
}

function decodeList(
  messages: readonly ScopedRouteConfiguration[],
  statPrefix: string,
  reasons: Reasons,
  extensions: Extensions,
): readonly ScopeData[] {
  const scopes = messages.map((message, i) => {
    const at = reasons.at('scoped_route_configurations', i);
    // Envoy's words.
    if (message.routeConfigurationName !== '' && message.routeConfiguration === undefined) {
      at.add('Fetching routes via RDS (route_configuration_name) is not supported with inline scoped routes.');
      return null;
    }
    return decodeScope(message, null, statPrefix, at, extensions)?.data ?? null;
  });
  const whole = scopes.filter((scope) => scope !== null);
  if (whole.length < messages.length) return [];
  const conflict = scopeConflict(whole.map(({ key }, i) => ({ name: messages[i].name, key })));
  if (conflict !== '') reasons.add(conflict);
  return whole;
}

function decodeFragment(message: FragmentBuilder, reasons: Reasons): ScopeFragmentData | null {
  fragmentFields.check(message, reasons);
  if (message.type.case !== 'headerValueExtractor') return null;
  const extractor = message.type.value;
  const at = reasons.at('header_value_extractor');
  extractorFields.check(extractor, at);
  const { name, elementSeparator, extractType } = extractor;
  if (extractType.case === 'element') elementFields.check(extractType.value, at.at('element'));
  const index = extractType.case === 'index' ? extractType.value : 0;
  // Envoy's words.
  if (elementSeparator === '' && index > 0) at.add('Index > 0 for empty string element separator.');
  if (extractType.case === undefined) at.add('HeaderValueExtractor extract_type not set');
  return {
    header: lowerAscii(wireText(name)),
    separator: wireText(elementSeparator),
    index,
    element:
      extractType.case === 'element'
        ? { key: wireText(extractType.value.key), separator: wireText(extractType.value.separator) }
        : null,
  };
}
