import { durationMs } from '../core/duration.ts';
import type { Reasons } from '../core/rejection.ts';
import { SupportedFields } from '../core/supported-fields.ts';
import { HttpUriSchema, type HttpUri } from '../proto/envoy/config/core/v3/http_uri_pb.js';

const supported = new SupportedFields(HttpUriSchema, ['uri', 'cluster', 'timeout']);

/** Where a filter's own requests go: `envoy.config.core.v3.HttpUri` as plain data. */
export interface HttpUriData {
  readonly cluster: string;
  readonly authority: string;
  /** With query. */
  readonly path: string;
  readonly timeoutMs: number;
}

export function decodeHttpUri(message: HttpUri | undefined, reasons: Reasons): HttpUriData {
  if (message !== undefined) supported.check(message, reasons);
  const uri = message?.uri ?? '';
  const scheme = uri.indexOf('://');
  const rest = scheme < 0 ? uri : uri.slice(scheme + 3);
  const slash = rest.search(/[/?]/);
  const target = slash < 0 ? '' : rest.slice(slash);
  return {
    cluster: message?.httpUpstreamType.value ?? '',
    authority: slash < 0 ? rest : rest.slice(0, slash),
    path: target.startsWith('/') ? target : `/${target}`,
    timeoutMs: durationMs(message?.timeout, 0),
  };
}
