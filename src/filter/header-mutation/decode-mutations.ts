import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { formatProblem } from '../../observe/format/format.ts';
import {
  HeaderMutation_RemoveOnMatchSchema,
  HeaderMutationSchema,
  type HeaderMutation,
} from '../../proto/envoy/config/common/mutation_rules/v3/mutation_rules_pb.js';
import {
  HeaderValueOption_HeaderAppendAction as HeaderAction,
  HeaderValueOptionSchema,
  HeaderValueSchema,
  KeyValueAppend_KeyValueAppendAction as KeyValueAction,
  KeyValueAppendSchema,
  KeyValueMutationSchema,
  type HeaderValueOption,
  type KeyValueAppend,
  type KeyValueMutation,
} from '../../proto/envoy/config/core/v3/base_pb.js';
import { decodeStringMatcher } from '../../route/match/decode.ts';
import { lowerAscii, wireText } from '../../route/wire-text.ts';
import type {
  AppendActionData,
  HeaderAppendData,
  HeaderMutationData,
  QueryMutationData,
} from './header-mutation-data.ts';

const mutationFields = new SupportedFields(HeaderMutationSchema, ['remove', 'append', 'remove_on_match']);
const removeOnMatchFields = new SupportedFields(HeaderMutation_RemoveOnMatchSchema, ['key_matcher']);
const optionFields = new SupportedFields(HeaderValueOptionSchema, [
  'header',
  'append',
  'append_action',
  'keep_empty_value',
]);
const valueFields = new SupportedFields(HeaderValueSchema, ['key', 'value']);
const keyValueMutationFields = new SupportedFields(KeyValueMutationSchema, ['append', 'remove']);
const keyValueAppendFields = new SupportedFields(KeyValueAppendSchema, ['record', 'action']);

const headerActions: Readonly<Record<HeaderAction, AppendActionData>> = {
  [HeaderAction.APPEND_IF_EXISTS_OR_ADD]: 'APPEND_IF_EXISTS_OR_ADD',
  [HeaderAction.ADD_IF_ABSENT]: 'ADD_IF_ABSENT',
  [HeaderAction.OVERWRITE_IF_EXISTS_OR_ADD]: 'OVERWRITE_IF_EXISTS_OR_ADD',
  [HeaderAction.OVERWRITE_IF_EXISTS]: 'OVERWRITE_IF_EXISTS',
};
const keyValueActions: Readonly<Record<KeyValueAction, AppendActionData>> = {
  [KeyValueAction.APPEND_IF_EXISTS_OR_ADD]: 'APPEND_IF_EXISTS_OR_ADD',
  [KeyValueAction.ADD_IF_ABSENT]: 'ADD_IF_ABSENT',
  [KeyValueAction.OVERWRITE_IF_EXISTS_OR_ADD]: 'OVERWRITE_IF_EXISTS_OR_ADD',
  [KeyValueAction.OVERWRITE_IF_EXISTS]: 'OVERWRITE_IF_EXISTS',
};

export function decodeHeaderMutations(
  messages: readonly HeaderMutation[],
  field: string,
  reasons: Reasons,
): HeaderMutationData[] {
  return messages.map((message, i) => decodeHeaderMutation(message, reasons.at(field, i)));
}

function decodeHeaderMutation(message: HeaderMutation, reasons: Reasons): HeaderMutationData {
  mutationFields.check(message, reasons);
  const { action } = message;
  switch (action.case) {
    case 'append':
      return decodeHeaderAppend(action.value, reasons.at('append'));
    case 'removeOnMatch': {
      const at = reasons.at('remove_on_match');
      removeOnMatchFields.check(action.value, at);
      return {
        kind: 'remove-matching',
        names: decodeStringMatcher(action.value.keyMatcher, at.at('key_matcher')),
      };
    }
    default: {
      const name = lowerAscii(wireText(action.value ?? ''));
      if (isFixedHeader(name)) {
        // Envoy takes it, and then answers every request 503 filter_removed_required_request_headers.
        reasons.at('remove').add(`'${name}' cannot be removed: no request could be forwarded without it`);
      }
      return { kind: 'remove', name };
    }
  }
}

/** Headers of filters and local replies: what may be set is neither a pseudo-header nor Host. */
export function decodeHeaderAppend(message: HeaderValueOption, reasons: Reasons): HeaderAppendData {
  optionFields.check(message, reasons);
  const { header } = message;
  if (header !== undefined) valueFields.check(header, reasons.at('header'));
  const name = lowerAscii(wireText(header?.key ?? ''));
  if (isFixedHeader(name)) reasons.at('header').add(':-prefixed or host headers may not be modified');
  const value = header?.value ?? '';
  const problem = formatProblem(value);
  if (problem !== null) reasons.at('header').at('value').add(problem);
  return {
    kind: 'append',
    name,
    value,
    action: decodeAction(message),
    keepEmpty: message.keepEmptyValue,
  };
}

/** The deprecated `append` is honoured where `append_action` is not set. */
function decodeAction(message: HeaderValueOption): AppendActionData {
  if (message.append === false && message.appendAction === HeaderAction.APPEND_IF_EXISTS_OR_ADD)
    return 'OVERWRITE_IF_EXISTS_OR_ADD';
  return headerActions[message.appendAction];
}

export function decodeQueryMutations(
  messages: readonly KeyValueMutation[],
  field: string,
  reasons: Reasons,
): QueryMutationData[] {
  return messages.flatMap((message, i) => {
    const at = reasons.at(field, i);
    keyValueMutationFields.check(message, at);
    if (message.append !== undefined && message.remove !== '') at.add("Only one of 'append'/'remove' can be specified");
    if (message.append !== undefined) return decodeKeyValueAppend(message.append, at.at('append'));
    if (message.remove === '') at.add("One of 'append'/'remove' must be specified");
    return { kind: 'remove' as const, key: wireText(message.remove) };
  });
}

function decodeKeyValueAppend(message: KeyValueAppend, reasons: Reasons): QueryMutationData[] {
  keyValueAppendFields.check(message, reasons);
  const { record } = message;
  if (record === undefined) {
    reasons.add('No record specified for append mutation');
    return [];
  }
  const kind = record.value?.kind;
  if (kind?.case !== 'stringValue') {
    reasons.at('record').at('value').add('Only string value is allowed for record value');
    return [];
  }
  const problem = formatProblem(kind.value);
  if (problem !== null) reasons.at('record').at('value').add(problem);
  const action = keyValueActions[message.action];
  return [{ kind: 'append', key: wireText(record.key), value: kind.value, action }];
}

function isFixedHeader(name: string): boolean {
  return name.startsWith(':') || name === 'host';
}
