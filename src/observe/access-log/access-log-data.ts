import type { ExpressionData } from '../expression/expression-data.ts';
import type { FormatExtension, JsonTemplate } from '../format/format.ts';
import type { LogServiceData } from './log-service-data.ts';
import type { StatNameMatcherData } from '../stats/stats-data.ts';

/** One configured access log: what travels to the workers. */
export interface AccessLogData {
  readonly name: string;
  /** Null: every stream is logged. */
  readonly filter: AccessLogFilterData | null;
  readonly sink: LogSinkData;
  readonly format: FormatData;
}

export type LogSinkData =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'stdout' | 'stderr' }
  /** Entries of its own; the format counts for nothing. */
  | { readonly kind: 'service'; readonly service: LogServiceData };

/** `SubstitutionFormatString`, or what an older field means. */
export type FormatData = TextFormatData | JsonFormatData;

interface FormatOptionsData {
  readonly omitEmptyValues: boolean;
  readonly extensions: readonly FormatExtension[];
  /** For local replies; empty: the format's own (`text/plain`, `application/json`). */
  readonly contentType: string;
}

interface TextFormatData extends FormatOptionsData {
  readonly kind: 'text';
  readonly text: string;
}

interface JsonFormatData extends FormatOptionsData {
  readonly kind: 'json';
  readonly template: JsonTemplate;
}

/** Envoy's default format, line end included. Source: `SubstitutionFormatUtils::DEFAULT_FORMAT`. */
export const DEFAULT_TEXT =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" ' +
  '%RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% ' +
  '%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% ' +
  '"%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" ' +
  '"%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"\n';

export const DEFAULT_FORMAT: FormatData = {
  kind: 'text',
  text: DEFAULT_TEXT,
  omitEmptyValues: false,
  extensions: [],
  contentType: '',
};

/** Which streams are logged; also used to choose a local reply. */
export type AccessLogFilterData =
  | { readonly kind: 'status-code' | 'duration'; readonly comparison: ComparisonData }
  | { readonly kind: 'not-health-check' | 'traceable' }
  | {
      readonly kind: 'runtime';
      readonly key: string;
      readonly numerator: number;
      readonly denominator: number;
      readonly independentRandomness: boolean;
    }
  | { readonly kind: 'and' | 'or'; readonly filters: readonly AccessLogFilterData[] }
  /** `matcher` is what the route room's decoder made of the HeaderMatcher. */
  | { readonly kind: 'header'; readonly matcher: unknown }
  /** Bits of ResponseFlag; 0: any flag. */
  | { readonly kind: 'response-flag'; readonly flags: number }
  | { readonly kind: 'expression'; readonly expression: ExpressionData }
  | { readonly kind: 'grpc-status'; readonly statuses: readonly number[]; readonly exclude: boolean }
  | { readonly kind: 'log-type'; readonly types: readonly string[]; readonly exclude: boolean }
  | {
      readonly kind: 'metadata';
      readonly namespace: string;
      readonly path: readonly string[];
      readonly value: ValueMatcherData | null;
      readonly matchIfKeyNotFound: boolean;
    };

export interface ComparisonData {
  readonly op: 'EQ' | 'GE' | 'LE' | 'NE';
  readonly value: number;
  /** Runtime key that overrides `value`; empty: none. */
  readonly runtimeKey: string;
}

/** `ValueMatcher` of a metadata filter. */
export type ValueMatcherData =
  | { readonly kind: 'null' }
  | { readonly kind: 'double'; readonly start: number; readonly end: number; readonly isExact: boolean }
  | { readonly kind: 'string'; readonly matcher: StatNameMatcherData }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'present'; readonly value: boolean }
  | { readonly kind: 'list'; readonly oneOf: ValueMatcherData }
  | { readonly kind: 'or'; readonly any: readonly ValueMatcherData[] };
