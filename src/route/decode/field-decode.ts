import type { Extensions } from '../../core/extension.ts';
import { durationMs, type ProtoDuration } from '../../core/duration.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { MetadataSchema, type Metadata } from '../../proto/envoy/config/core/v3/base_pb.js';
import type { MetadataData, RetryPolicyData } from '../route-data.ts';

/** What decoding a route needs beside its message. */
export interface RouteDecoding {
  readonly extensions: Extensions;
  /** `re2.max_program_size.error_level`. */
  readonly maxProgramSize: number;
  /** `max_direct_response_body_size_bytes`. */
  readonly directBodyMax: number;
}

/** What a route inherits from its virtual host. */
export interface RouteDefaults {
  readonly retry: RetryPolicyData | null;
  /** `hedge_policy`. */
  readonly hedges: boolean;
  /** -1: none. */
  readonly requestBufferLimit: number;
}

const metadataFields = new SupportedFields(MetadataSchema, ['filter_metadata']);

export function decodeMetadata(message: Metadata | undefined, reasons: Reasons): MetadataData | null {
  if (message === undefined) return null;
  metadataFields.check(message, reasons.at('metadata'));
  return message.filterMetadata;
}

/** The `envoy.lb` part of `metadata_match`; null: there is none. */
export function decodeMetadataMatch(message: Metadata | undefined, reasons: Reasons): MetadataData | null {
  if (message === undefined) return null;
  metadataFields.check(message, reasons.at('metadata_match'));
  return message.filterMetadata['envoy.lb'] ?? null;
}

/** Whole milliseconds, cut off as Envoy does: `0.0004s` is 0. */
export function wholeMs(
  duration: ProtoDuration | undefined,
  otherwise: number,
  field: string,
  reasons: Reasons,
): number {
  const ms = durationMs(duration, otherwise);
  if (duration !== undefined && ms < 0) reasons.at(field).add('Invalid duration: Expected positive duration');
  return Math.floor(ms);
}

/** `request_body_buffer_limit`, before it the deprecated `per_request_buffer_limit_bytes`; -1: neither. */
export function bufferLimit(message: {
  readonly requestBodyBufferLimit?: bigint | undefined;
  readonly perRequestBufferLimitBytes?: number | undefined;
}): number {
  if (message.requestBodyBufferLimit !== undefined) return Number(message.requestBodyBufferLimit);
  return message.perRequestBufferLimitBytes ?? -1;
}
