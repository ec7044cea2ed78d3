import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { formatProblem } from '../../observe/format/format.ts';
import {
  HeaderValueOption_HeaderAppendAction,
  HeaderValueOptionSchema,
  HeaderValueSchema,
  type HeaderValueOption,
} from '../../proto/envoy/config/core/v3/base_pb.js';
import type { HeaderAdditionData, HeaderMutationsData } from '../route-data.ts';
import { lowerAscii, wireText } from '../wire-text.ts';

const optionFields = new SupportedFields(HeaderValueOptionSchema, [
  'header',
  'append',
  'append_action',
  'keep_empty_value',
]);
const valueFields = new SupportedFields(HeaderValueSchema, ['key', 'value']);

const Append = HeaderValueOption_HeaderAppendAction;

/** The four header fields of a route configuration, virtual host, route or weighted cluster. */
interface MutatingMessage {
  readonly requestHeadersToAdd: readonly HeaderValueOption[];
  readonly requestHeadersToRemove: readonly string[];
  readonly responseHeadersToAdd: readonly HeaderValueOption[];
  readonly responseHeadersToRemove: readonly string[];
}

/** Null: the level changes nothing in requests. */
export function decodeRequestMutations(message: MutatingMessage, reasons: Reasons): HeaderMutationsData | null {
  return decodeHeaderMutations(
    message.requestHeadersToAdd,
    message.requestHeadersToRemove,
    'request_headers_to',
    reasons,
  );
}

export function decodeResponseMutations(message: MutatingMessage, reasons: Reasons): HeaderMutationsData | null {
  return decodeHeaderMutations(
    message.responseHeadersToAdd,
    message.responseHeadersToRemove,
    'response_headers_to',
    reasons,
  );
}

/** `field`: what comes before `_add` and `_remove` in the fields' names. Null: nothing changes. */
export function decodeHeaderMutations(
  add: readonly HeaderValueOption[],
  remove: readonly string[],
  field: string,
  reasons: Reasons,
): HeaderMutationsData | null {
  if (add.length === 0 && remove.length === 0) return null;
  return {
    remove: remove.map((name, i) => {
      if (isProtected(name)) reasons.at(`${field}_remove`, i).add(':-prefixed or host headers may not be removed');
      return lowerAscii(wireText(name));
    }),
    add: add.map((option, i) => decodeHeaderAddition(option, reasons.at(`${field}_add`, i))),
  };
}

export function decodeHeaderAddition(option: HeaderValueOption, reasons: Reasons): HeaderAdditionData {
  optionFields.check(option, reasons);
  const header = option.header;
  if (header !== undefined) valueFields.check(header, reasons.at('header'));
  const key = header?.key ?? '';
  const value = header?.value ?? '';
  if (isProtected(key)) reasons.at('header').at('key').add(':-prefixed or host headers may not be modified');
  const problem = value.includes('%') ? formatProblem(value, { omitEmptyValues: true }) : null;
  if (problem !== null) reasons.at('header').at('value').add(problem);
  return {
    name: lowerAscii(wireText(key)),
    value: value.includes('%') ? value : wireText(value),
    action: appendAction(option, reasons),
    keepEmpty: option.keepEmptyValue,
  };
}

/** Envoy's `isModifiableHeader`: what routing itself depends on has fields of its own. */
function isProtected(name: string): boolean {
  return name.startsWith(':') || name.toLowerCase() === 'host';
}

function appendAction(option: HeaderValueOption, reasons: Reasons): HeaderAdditionData['action'] {
  if (option.append !== undefined) {
    if (option.appendAction !== Append.APPEND_IF_EXISTS_OR_ADD) {
      reasons.at('append').add("Both append and append_action are set and it's not allowed");
    }
    return option.append ? 'APPEND_IF_EXISTS_OR_ADD' : 'OVERWRITE_IF_EXISTS_OR_ADD';
  }
  switch (option.appendAction) {
    case Append.ADD_IF_ABSENT:
      return 'ADD_IF_ABSENT';
    case Append.OVERWRITE_IF_EXISTS_OR_ADD:
      return 'OVERWRITE_IF_EXISTS_OR_ADD';
    case Append.OVERWRITE_IF_EXISTS:
      return 'OVERWRITE_IF_EXISTS';
    default:
      return 'APPEND_IF_EXISTS_OR_ADD';
  }
}
