import type { ExtensionDecoder } from '../../core/extension.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  Config_KeyValuePairSchema,
  Config_RuleSchema,
  Config_ValueEncode,
  Config_ValueType,
  ConfigSchema,
  type Config_KeyValuePair,
  type Config_Rule,
} from '../../proto/envoy/extensions/filters/http/header_to_metadata/v3/header_to_metadata_pb.js';
import { fromBinary } from '../../proto/protobuf.js';
import { decodeRegexRewrite } from '../../route/match/decode.ts';
import { lowerAscii, wireText } from '../../route/wire-text.ts';
import type { HeaderToMetadataData, MetadataEntryData, MetadataRuleData } from './header-to-metadata-data.ts';

const supported = new SupportedFields(ConfigSchema, ['request_rules', 'response_rules', 'stat_prefix']);
const ruleFields = new SupportedFields(Config_RuleSchema, [
  'header',
  'cookie',
  'on_header_present',
  'on_header_missing',
  'remove',
]);
const entryFields = new SupportedFields(Config_KeyValuePairSchema, [
  'metadata_namespace',
  'key',
  'value',
  'regex_value_rewrite',
  'type',
  'encode',
]);

const defaultNamespace = 'envoy.filters.http.header_to_metadata';

export const headerToMetadataDecoder: ExtensionDecoder = {
  kind: ConfigSchema.typeName,
  decode(bytes: Uint8Array, reasons: Reasons): HeaderToMetadataData {
    const message = fromBinary(ConfigSchema, bytes);
    supported.check(message, reasons);
    return {
      statPrefix: message.statPrefix,
      request: decodeRules(message.requestRules, 'request_rules', reasons),
      response: decodeRules(message.responseRules, 'response_rules', reasons),
    };
  },
};

function decodeRules(rules: readonly Config_Rule[], field: string, reasons: Reasons): MetadataRuleData[] {
  return rules.map((rule, i) => {
    const at = reasons.at(field, i);
    ruleFields.check(rule, at);
    const { header, cookie, remove, onHeaderPresent, onHeaderMissing } = rule;
    checkRule(rule, at);
    return {
      source: cookie === '' ? 'header' : 'cookie',
      name: cookie === '' ? lowerAscii(wireText(header)) : wireText(cookie),
      onPresent: onHeaderPresent === undefined ? null : decodeEntry(onHeaderPresent, at.at('on_header_present')),
      onMissing: onHeaderMissing === undefined ? null : decodeEntry(onHeaderMissing, at.at('on_header_missing')),
      removes: remove,
    };
  });
}

/** Envoy's words. */
function checkRule({ header, cookie, remove, onHeaderPresent, onHeaderMissing }: Config_Rule, reasons: Reasons): void {
  if (header !== '' && cookie !== '') reasons.add('Cannot specify both header and cookie in the same rule');
  if (header === '' && cookie === '') reasons.add('One of Cookie or Header option needs to be specified');
  if (remove && cookie !== '') reasons.add('Cannot specify remove for cookie');
  if (onHeaderPresent === undefined && onHeaderMissing === undefined)
    reasons.add(
      `header to metadata filter: rule for ${header || cookie} has neither \`on_header_present\` nor \`on_header_missing\` set`,
    );
  if (onHeaderMissing !== undefined && onHeaderMissing.value === '')
    reasons.add('Cannot specify on_header_missing rule with an empty value');
  if (onHeaderPresent !== undefined && onHeaderPresent.value !== '' && onHeaderPresent.regexValueRewrite !== undefined)
    reasons.add('Cannot specify both value and regex_value_rewrite');
}

function decodeEntry(entry: Config_KeyValuePair, reasons: Reasons): MetadataEntryData {
  entryFields.check(entry, reasons);
  if (entry.type === Config_ValueType.PROTOBUF_VALUE)
    reasons.unsupported('type', 'PROTOBUF_VALUE is not supported by sekisho');
  return {
    namespace: entry.metadataNamespace || defaultNamespace,
    key: entry.key,
    value: wireText(entry.value),
    rewrite:
      entry.regexValueRewrite === undefined
        ? null
        : decodeRegexRewrite(entry.regexValueRewrite, reasons.at('regex_value_rewrite')),
    isNumber: entry.type === Config_ValueType.NUMBER,
    isBase64: entry.encode === Config_ValueEncode.BASE64,
  };
}
