import { compileFormat } from '../format/format.ts';
import { jsonOf, toBytes } from '../format/byte-string.ts';
import { processContext, type FormatContext } from '../format/format-context.ts';
import type { Metadata, Outcome } from '../outcome.ts';
import type { CustomTagData } from './trace-data.ts';

/** A tag that the configuration adds, of spans and of log entries. */
export interface CustomTag {
  readonly tag: string;
  /** Bytes; empty: there is none. */
  value(outcome: Outcome): string;
}

export function buildCustomTag(data: CustomTagData, context: FormatContext = processContext()): CustomTag {
  const tag = toBytes(data.tag);
  switch (data.kind) {
    case 'literal':
      return fixed(tag, data.value);
    case 'environment':
      return fixed(tag, context.environment[data.name] ?? data.otherwise);
    case 'request-header': {
      const otherwise = toBytes(data.otherwise);
      const { name } = data;
      return { tag, value: ({ requestHead }) => requestHead?.get(name) ?? otherwise };
    }
    case 'metadata':
      return metadataTag(tag, data);
    case 'format': {
      const { format, extensions } = data;
      const formatter = compileFormat(format, { omitEmptyValues: true, extensions, context });
      return { tag, value: (outcome) => formatter.format(outcome) };
    }
  }
}

/** Those of a connection manager with those of a route, which come first and win. */
export function joinTags(own: readonly CustomTag[], route: readonly CustomTag[]): readonly CustomTag[] {
  if (route.length === 0) return own;
  return [...route, ...own.filter(({ tag }) => !route.some((other) => other.tag === tag))];
}

function fixed(tag: string, text: string): CustomTag {
  const bytes = toBytes(text);
  return { tag, value: () => bytes };
}

type MetadataTagData = Extract<CustomTagData, { kind: 'metadata' }>;

function metadataTag(tag: string, { of, namespace, path, otherwise }: MetadataTagData): CustomTag {
  const missing = toBytes(otherwise);
  return {
    tag,
    value: (outcome) => {
      let value = namespaceOf(outcome, of, namespace);
      for (const key of path) value = isStruct(value) && Object.hasOwn(value, key) ? value[key] : undefined;
      return textOf(value) || missing;
    },
  };
}

function namespaceOf(outcome: Outcome, of: MetadataTagData['of'], namespace: string): unknown {
  switch (of) {
    case 'request':
      return outcome.dynamicMetadata?.get(namespace);
    case 'route':
      return read(outcome.routeMetadata, namespace);
    case 'cluster':
      return read(outcome.clusterMetadata, namespace);
    case 'host':
      return read(outcome.upstreamHostMetadata, namespace);
  }
}

function read(metadata: Metadata | null, namespace: string): unknown {
  return metadata === null ? undefined : metadata[namespace];
}

function isStruct(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return toBytes(value);
    case 'number':
      return shortNumber(value);
    case 'boolean':
      return String(value);
    case 'object':
      return value === null ? '' : jsonOf(value);
    default:
      return '';
  }
}

/** Six digits, as C's `%g` prints a number and Envoy a metadata value. */
function shortNumber(value: number): string {
  if (!Number.isFinite(value))
    return String(value)
      .toLowerCase()
      .slice(0, value < 0 ? 4 : 3);
  const exponent = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(Number(value.toPrecision(6)))));
  if (exponent >= -4 && exponent < 6) return String(Number(value.toPrecision(6)));
  const [mantissa, power] = Number(value.toPrecision(6)).toExponential().split('e');
  return `${mantissa}e${power[0]}${power.slice(1).padStart(2, '0')}`;
}
