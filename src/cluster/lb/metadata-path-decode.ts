import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import {
  MetadataKey_PathSegmentSchema,
  MetadataKeySchema,
  type MetadataKey,
} from '../../proto/envoy/type/metadata/v3/metadata_pb.js';

const supported = new SupportedFields(MetadataKeySchema, ['key', 'path']);
const supportedSegment = new SupportedFields(MetadataKey_PathSegmentSchema, ['key']);

/** Namespace of the dynamic metadata, then keys into it. `reasons`: where the key stands. */
export function decodeMetadataPath(message: MetadataKey, reasons: Reasons): string[] {
  supported.check(message, reasons);
  const keys = message.path.map(({ segment }, i) => {
    supportedSegment.check(message.path[i], reasons.at('path', i));
    return segment.case === 'key' ? segment.value : '';
  });
  return [message.key, ...keys];
}
