import type { Outcome } from '../outcome.ts';
import { FormatError } from './format-error.ts';
import { TextOperator, type Operator } from './operator.ts';

type NameReader = (outcome: Outcome) => string | null;

/** What Envoy lets through of a server name; anything else becomes `_`, and the name says that it was. */
const INVALID = /[^a-zA-Z0-9.\-_]/g;

/** `%REQUESTED_SERVER_NAME(SNI_ONLY|SNI_FIRST|HOST_FIRST:ORIG_OR_HOST|HOST|ORIG)%`. */
export function requestedServerName(parameter: string): Operator {
  const [order = '', which = ''] = parameter.split(':');
  const host = hostReader(which);
  switch (order) {
    case '':
    case 'SNI_ONLY':
      return new TextOperator(serverName);
    case 'SNI_FIRST':
      return new TextOperator((outcome) => serverName(outcome) ?? host(outcome));
    case 'HOST_FIRST':
      return new TextOperator((outcome) => host(outcome) ?? serverName(outcome));
    default:
      throw new FormatError(
        `Invalid REQUESTED_SERVER_NAME option: '${order}', only 'SNI_ONLY'/'SNI_FIRST'/'HOST_FIRST' are allowed`,
      );
  }
}

function hostReader(which: string): NameReader {
  const current: NameReader = (o) => (o.requestHead === null ? null : o.requestHead.authority || null);
  const original: NameReader = (o) => o.requestHead?.headers.get('x-envoy-original-host') ?? null;
  switch (which) {
    case '':
    case 'ORIG_OR_HOST':
      return (outcome) => original(outcome) ?? current(outcome);
    case 'HOST':
      return current;
    case 'ORIG':
      return original;
    default:
      throw new FormatError(
        `Invalid REQUESTED_SERVER_NAME option: '${which}', only 'ORIG_OR_HOST'/'HOST'/'ORIG' are allowed`,
      );
  }
}

function serverName(outcome: Outcome): string | null {
  const name = outcome.peer === null ? '' : outcome.peer.serverName;
  if (name === '') return null;
  const printable = name.replace(INVALID, '_');
  return printable === name ? name : `invalid:${printable}`;
}
