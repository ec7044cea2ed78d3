import type { Outcome } from '../outcome.ts';
import { FormatError } from './format-error.ts';
import { TextOperator } from './operator.ts';

const ORIGINAL_PATH = 'x-envoy-original-path';

type PathReader = (outcome: Outcome) => string | null;

/** `%PATH(WQ|NQ:ORIG|PATH|ORIG_OR_PATH)%`: with or without query, as it came or as it went on. */
export function pathOperator(parameter: string): TextOperator {
  const [query = '', which = ''] = parameter.split(':');
  if (!['', 'WQ', 'NQ'].includes(query))
    throw new FormatError(`Invalid PATH option: '${query}', only 'WQ'/'NQ' are allowed`);
  const read = pathReader(which);
  if (query !== 'NQ') return new TextOperator(read);
  return new TextOperator((outcome) => {
    const path = read(outcome);
    const mark = path === null ? -1 : path.indexOf('?');
    return mark < 0 ? path : path!.slice(0, mark);
  });
}

function pathReader(which: string): PathReader {
  const original: PathReader = (o) => o.requestHead?.headers.get(ORIGINAL_PATH) ?? null;
  const current: PathReader = (o) => (o.requestHead === null || o.requestHead.path === '' ? null : o.requestHead.path);
  switch (which) {
    case '':
    case 'ORIG_OR_PATH':
      return (outcome) => original(outcome) ?? current(outcome);
    case 'ORIG':
      return original;
    case 'PATH':
      return current;
    default:
      throw new FormatError(`Invalid PATH option: '${which}', only 'ORIG'/'PATH'/'ORIG_OR_PATH' are allowed`);
  }
}

/** `%QUERY_PARAMS(ORIG|DECODED)%`: all that follows the question mark. */
export function queryOperator(parameter: string): TextOperator {
  switch (parameter) {
    case '':
    case 'ORIG':
      return new TextOperator(queryOf);
    case 'DECODED':
      return new TextOperator((outcome) => {
        const query = queryOf(outcome);
        return query === null ? null : decodeVisible(query);
      });
    default:
      throw new FormatError(`Invalid QUERY_PARAMS option: '${parameter}', only 'ORIG'/'DECODED' are allowed`);
  }
}

/** `%QUERY_PARAM(name)%`: the first value of that name, percent-decoded; `+` stays. */
export function queryParameter(name: string): TextOperator {
  return new TextOperator((outcome) => {
    const query = queryOf(outcome);
    return query === null ? null : valueIn(query, name);
  });
}

function queryOf(outcome: Outcome): string | null {
  const path = outcome.requestHead === null ? '' : outcome.requestHead.path;
  const mark = path.indexOf('?');
  return mark < 0 ? null : path.slice(mark + 1);
}

function valueIn(query: string, name: string): string | null {
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=');
    const key = equals < 0 ? pair : pair.slice(0, equals);
    if (decodeAll(key) === name) return equals < 0 ? '' : decodeAll(pair.slice(equals + 1));
  }
  return null;
}

function decodeAll(text: string): string {
  if (!text.includes('%')) return text;
  return text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

/** Only escapes of visible ASCII are undone, and not that of the double quote. */
function decodeVisible(text: string): string {
  if (!text.includes('%')) return text;
  return text.replace(/%([0-9a-fA-F]{2})/g, (escape, hex: string) => {
    const code = parseInt(hex, 16);
    return code > 0x20 && code < 0x7f && code !== 0x22 ? String.fromCharCode(code) : escape;
  });
}
