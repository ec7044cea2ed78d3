import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { formatProblem } from '../../observe/format/format.ts';
import {
  RedirectAction_RedirectResponseCode,
  RedirectActionSchema,
  type RedirectAction,
} from '../../proto/envoy/config/route/v3/route_components_pb.js';
import { decodeRegexRewrite } from '../match/decode.ts';
import type { RedirectData, RedirectPathData } from '../route-data.ts';
import { wireText } from '../wire-text.ts';
import type { RouteDecoding } from './field-decode.ts';

const redirectFields = new SupportedFields(RedirectActionSchema, [
  'https_redirect',
  'scheme_redirect',
  'host_redirect',
  'port_redirect',
  'path_redirect',
  'prefix_rewrite',
  'regex_rewrite',
  'path_rewrite',
  'response_code',
  'strip_query',
]);

const Code = RedirectAction_RedirectResponseCode;

export function decodeRedirect(message: RedirectAction, reasons: Reasons, decoding: RouteDecoding): RedirectData {
  redirectFields.check(message, reasons);
  return {
    kind: 'redirect',
    status: statusOf(message.responseCode),
    scheme: schemeOf(message.schemeRewriteSpecifier),
    host: wireText(message.hostRedirect),
    port: message.portRedirect,
    path: decodePath(message.pathRewriteSpecifier, reasons, decoding),
    stripQuery: message.stripQuery,
  };
}

function schemeOf(specifier: RedirectAction['schemeRewriteSpecifier']): string {
  if (specifier.case === 'schemeRedirect') return wireText(specifier.value);
  return specifier.case === 'httpsRedirect' && specifier.value ? 'https' : '';
}

function decodePath(
  specifier: RedirectAction['pathRewriteSpecifier'],
  reasons: Reasons,
  decoding: RouteDecoding,
): RedirectPathData | null {
  switch (specifier.case) {
    case 'pathRedirect':
      return specifier.value === '' ? null : { kind: 'path', value: wireText(specifier.value) };
    case 'prefixRewrite':
      return specifier.value === '' ? null : { kind: 'prefix', value: wireText(specifier.value) };
    case 'regexRewrite':
      return {
        kind: 'regex',
        ...decodeRegexRewrite(specifier.value, reasons.at('regex_rewrite'), decoding.maxProgramSize),
      };
    case 'pathRewrite': {
      if (specifier.value === '') return null;
      const problem = formatProblem(specifier.value, { omitEmptyValues: true });
      if (problem !== null) reasons.at('path_rewrite').add(`Failed to create path_rewrite formatter: ${problem}`);
      return { kind: 'format', format: specifier.value };
    }
    default:
      return null;
  }
}

function statusOf(code: RedirectAction_RedirectResponseCode): number {
  switch (code) {
    case Code.FOUND:
      return 302;
    case Code.SEE_OTHER:
      return 303;
    case Code.TEMPORARY_REDIRECT:
      return 307;
    case Code.PERMANENT_REDIRECT:
      return 308;
    default:
      return 301;
  }
}
