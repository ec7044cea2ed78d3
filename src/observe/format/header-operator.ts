import type { Headers } from '../../core/headers.ts';
import type { Outcome } from '../outcome.ts';
import { FormatError } from './format-error.ts';
import { TextOperator } from './operator.ts';

/** Where a header is looked up. */
export type HeaderSource = 'request' | 'response' | 'trailer';

const HEADER_NAME = /^(?::?[!#$%&'*+\-.^_`|~0-9A-Za-z]+)?$/;

/** `name` or `name?alternative`, lower-case; the alternative is empty where there is none. */
function parseHeaderNames(parameter: string): [name: string, alternative: string] {
  const names = parameter.split('?');
  if (names.length > 2) throw new FormatError(`More than 1 alternative header specified in token: ${parameter}`);
  const [name, alternative = ''] = names as [string, string?];
  if (!HEADER_NAME.test(name) || !HEADER_NAME.test(alternative))
    throw new FormatError('Invalid header configuration. Format string contains invalid characters.');
  return [name.toLowerCase(), alternative.toLowerCase()];
}

type FieldReader = (outcome: Outcome) => string | null;

/** `%REQ(name?alternative)%` and its like: the first value of the field. */
export function headerOperator(source: HeaderSource, parameter: string): TextOperator {
  return new TextOperator(readerOf(source, parameter));
}

function readerOf(source: HeaderSource, parameter: string): FieldReader {
  const [name, alternative] = parseHeaderNames(parameter);
  const first = fieldReader(source, name);
  if (alternative === '') return first;
  const second = fieldReader(source, alternative);
  return (outcome) => first(outcome) ?? second(outcome);
}

function fieldReader(source: HeaderSource, name: string): FieldReader {
  switch (source) {
    case 'request':
      return ({ requestHead }) => (requestHead === null ? null : (requestHead.get(name) ?? null));
    case 'response':
      return ({ responseHead }) => (responseHead === null ? null : (responseHead.get(name) ?? null));
    case 'trailer':
      return ({ responseTrailers }) => (responseTrailers === null ? null : (responseTrailers.get(name) ?? null));
  }
}

/** The extension `%REQ_WITHOUT_QUERY(name?alternative)%`. */
export function requestWithoutQuery(parameter: string): TextOperator {
  const read = readerOf('request', parameter);
  return new TextOperator((outcome) => {
    const value = read(outcome);
    if (value === null) return null;
    const query = value.indexOf('?');
    return query < 0 ? value : value.slice(0, query);
  });
}

/** Bytes of names and values, pseudo-headers included: what Envoy counts for %REQUEST_HEADERS_BYTES%. */
export function requestHeaderBytes(outcome: Outcome): number {
  const head = outcome.requestHead;
  if (head === null) return 0;
  let bytes = fieldBytes(head.headers);
  if (head.method !== '') bytes += ':method'.length + head.method.length;
  if (head.scheme !== '') bytes += ':scheme'.length + head.scheme.length;
  if (head.authority !== '') bytes += ':authority'.length + head.authority.length;
  if (head.path !== '') bytes += ':path'.length + head.path.length;
  if (head.protocol !== '') bytes += ':protocol'.length + head.protocol.length;
  return bytes;
}

export function responseHeaderBytes(outcome: Outcome): number {
  const head = outcome.responseHead;
  return head === null ? 0 : fieldBytes(head.headers) + ':status'.length + String(head.status).length;
}

export function responseTrailerBytes(outcome: Outcome): number {
  return outcome.responseTrailers === null ? 0 : fieldBytes(outcome.responseTrailers);
}

function fieldBytes(headers: Headers): number {
  const { names, values } = headers;
  let bytes = 0;
  for (let i = 0; i < names.length; i++) bytes += names[i].length + values[i].length;
  return bytes;
}
