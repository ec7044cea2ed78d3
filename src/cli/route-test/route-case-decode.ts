import type { ConfigDocument } from '../../config/document.ts';
import { isConfigObject, type ConfigObject, type ConfigValue } from '../../config/config-value.ts';
import { parseMessage } from '../../config/parse.ts';
import type { Reasons } from '../../core/rejection.ts';
import { HeaderMatcherSchema, type HeaderMatcher } from '../../proto/envoy/config/route/v3/route_components_pb.js';
import { decodeHeaderMatcher } from '../../route/match/decode.ts';
import { FieldReader } from './field-reader.ts';
import {
  expectedTexts,
  type CaseExpectation,
  type CaseInput,
  type ExpectedHeader,
  type ExpectedText,
  type HeaderField,
  type RouteCase,
} from './route-case.ts';

/** A tests file: the cases, and what the runtime holds for all of them. */
export interface RouteCases {
  readonly cases: readonly RouteCase[];
  /** `runtime`: key → value. */
  readonly runtime: ConfigObject;
}

/**
 * Reads what Envoy's route checker reads. Source: `test/tools/router_check/validation.proto` and the checker's page in
 * Envoy's documentation.
 */
export function decodeRouteCases(document: ConfigDocument, reasons: Reasons): RouteCases {
  const reader = new FieldReader(document.value, reasons, ['tests', 'runtime']);
  const cases = reader.list('tests', decodeCase);
  if (cases.length === 0 && reasons.isEmpty) reasons.add('tests is required, with one test at least');
  return { cases, runtime: reader.object('runtime') ?? {} };
}

function decodeCase(value: ConfigValue, reasons: Reasons): RouteCase {
  const reader = new FieldReader(value, reasons, ['test_name', 'input', 'validate']);
  for (const name of ['input', 'validate']) if (!reader.has(name)) reasons.add(`${name} is required`);
  return {
    name: reader.text('test_name', 1) ?? '',
    input: decodeInput(...reader.inner('input')),
    expected: decodeExpectation(...reader.inner('validate')),
  };
}

function decodeInput(value: ConfigValue | undefined, reasons: Reasons): CaseInput {
  const reader = new FieldReader(value, reasons, [
    'authority',
    'path',
    'method',
    'random_value',
    'ssl',
    'internal',
    'runtime',
    'additional_request_headers',
    'additional_response_headers',
    'dynamic_metadata',
  ]);
  const isThere = isConfigObject(value);
  return {
    authority: reader.text('authority', isThere ? 1 : 0) ?? '',
    path: reader.text('path', isThere ? 1 : 0) ?? '',
    method: reader.text('method', isThere ? 3 : 0) ?? '',
    randomValue: reader.whole('random_value') ?? 0n,
    isSsl: reader.flag('ssl'),
    isInternal: reader.flag('internal'),
    runtimeKey: reader.text('runtime') ?? '',
    requestHeaders: reader.list('additional_request_headers', decodeField),
    responseHeaders: reader.list('additional_response_headers', decodeField),
    dynamicMetadata: decodeMetadata(reader),
  };
}

function decodeField(value: ConfigValue, reasons: Reasons): HeaderField {
  const reader = new FieldReader(value, reasons, ['key', 'value']);
  return { key: reader.text('key', 1) ?? '', value: reader.text('value') ?? '' };
}

/** As the set_metadata filter: who comes later takes the place of the earlier only where it may. */
function decodeMetadata(input: FieldReader): Map<string, unknown> {
  const metadata = new Map<string, unknown>();
  input.list('dynamic_metadata', (item, reasons) => {
    const names = ['metadata_namespace', 'value', 'typed_value', 'allow_overwrite'];
    const reader = new FieldReader(item, reasons, names);
    if (reader.has('typed_value')) reasons.unsupported('typed_value');
    const namespace = reader.text('metadata_namespace', 1) ?? '';
    const value = reader.object('value');
    if (value !== null && (!metadata.has(namespace) || reader.flag('allow_overwrite'))) metadata.set(namespace, value);
  });
  return metadata;
}

function decodeExpectation(value: ConfigValue | undefined, reasons: Reasons): CaseExpectation {
  const sides = ['request', 'response'] as const;
  const headerNames = sides.flatMap((side) => [`${side}_header_matches`, `${side}_header_fields`]);
  const known = [...expectedTexts, 'code_redirect', 'timeout', 'route_metadata', ...headerNames];
  const reader = new FieldReader(value, reasons, known);
  const texts = new Map<ExpectedText, string>();
  for (const name of expectedTexts) {
    const text = reader.text(name);
    if (text !== null) texts.set(name, text);
  }
  const code = reader.whole('code_redirect');
  return {
    texts,
    codeRedirect: code === null ? null : Number(code),
    timeoutMs: reader.durationMs('timeout'),
    routeMetadata: reader.list('route_metadata', (item, at) => {
      const one = new FieldReader(item, at, ['namespace', 'key', 'value']);
      return {
        namespace: one.text('namespace', 1) ?? '',
        key: one.text('key', 1) ?? '',
        value: one.text('value') ?? '',
      };
    }),
    requestHeaders: decodeHeaders(reader, 'request'),
    responseHeaders: decodeHeaders(reader, 'response'),
  };
}

function decodeHeaders(reader: FieldReader, side: 'request' | 'response'): ExpectedHeader[] {
  const matches = `${side}_header_matches`;
  const fields = `${side}_header_fields`;
  return [
    ...reader.list(matches, (value, reasons) => decodeMatcher(matches, value, reasons)),
    // The older form: one name, one value.
    ...reader.list(fields, (value, reasons) => decodeExactField(fields, value, reasons)),
  ];
}

function decodeMatcher(type: string, value: ConfigValue, reasons: Reasons): ExpectedHeader {
  const document: ConfigDocument = { path: '', text: '', value, reasons: [], override: null };
  const { message, reasons: found } = parseMessage(document, HeaderMatcherSchema);
  for (const reason of found) {
    if (reason.isWarning === true) continue;
    const path = reason.path === '' ? reasons.path : `${reasons.path}.${reason.path}`;
    reasons.list.push({ ...reason, path });
  }
  const specifier = message.headerMatchSpecifier;
  const pattern = specifier.case === 'stringMatch' ? specifier.value.matchPattern : null;
  return {
    name: message.name,
    type: `${type}.${kindOf(specifier)}`,
    exact: pattern?.case === 'exact' ? pattern.value : null,
    matcher: decodeHeaderMatcher(message, reasons),
  };
}

/** The name of the field that says how to match. */
function kindOf(specifier: HeaderMatcher['headerMatchSpecifier']): string {
  const proto = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  if (specifier.case === undefined) return 'present_match';
  const inner = specifier.case === 'stringMatch' ? specifier.value.matchPattern.case : undefined;
  return proto(inner === undefined ? specifier.case : `${specifier.case}.${inner}`);
}

function decodeExactField(type: string, value: ConfigValue, reasons: Reasons): ExpectedHeader {
  const field = decodeField(value, reasons);
  const string = { kind: 'exact', value: field.value, ignoreCase: false } as const;
  return {
    name: field.key,
    type,
    exact: field.value,
    matcher: {
      name: field.key.toLowerCase(),
      test: { kind: 'string', string },
      invert: false,
      // Without the header, the older form reads an empty value.
      treatMissingAsEmpty: true,
    },
  };
}
