import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { decodeValue } from '../../observe/access-log/filter-decode.ts';
import {
  FilterStateMatcherSchema,
  type FilterStateMatcher,
} from '../../proto/envoy/type/matcher/v3/filter_state_pb.js';
import {
  MetadataMatcher_PathSegmentSchema,
  MetadataMatcherSchema,
  type MetadataMatcher,
} from '../../proto/envoy/type/matcher/v3/metadata_pb.js';
import { decodeStringMatcher } from './decode.ts';
import type { FilterStateMatcherData, MetadataMatcherData } from './matcher-data.ts';

const metadataFields = new SupportedFields(MetadataMatcherSchema, ['filter', 'path', 'value', 'invert']);
const segmentFields = new SupportedFields(MetadataMatcher_PathSegmentSchema, ['key']);
const stateFields = new SupportedFields(FilterStateMatcherSchema, ['key', 'string_match']);

export function decodeMetadataMatcher(message: MetadataMatcher, reasons: Reasons): MetadataMatcherData {
  metadataFields.check(message, reasons);
  message.path.forEach((segment, i) => segmentFields.check(segment, reasons.at('path', i)));
  const value = message.value === undefined ? null : decodeValue(message.value, reasons.at('value'));
  return {
    filter: message.filter,
    path: message.path.flatMap(({ segment }) => (segment.case === 'key' ? [segment.value] : [])),
    value: value ?? { kind: 'or', any: [] },
    invert: message.invert,
  };
}

export function decodeFilterStateMatcher(
  message: FilterStateMatcher,
  reasons: Reasons,
  limit: number,
): FilterStateMatcherData {
  stateFields.check(message, reasons);
  const string = message.matcher.case === 'stringMatch' ? message.matcher.value : undefined;
  return { key: message.key, string: decodeStringMatcher(string, reasons.at('string_match'), limit) };
}
