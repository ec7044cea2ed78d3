import { existsSync } from 'node:fs';
import { durationMs } from '../../core/duration.ts';
import type { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { BackoffStrategySchema } from '../../proto/envoy/config/core/v3/backoff_pb.js';
import { HeaderValueSchema, RetryPolicySchema, type RetryPolicy } from '../../proto/envoy/config/core/v3/base_pb.js';
import {
  ApiConfigSource_ApiType as ApiType,
  ApiConfigSourceSchema,
  ApiVersion,
  ConfigSourceSchema,
  PathConfigSourceSchema,
  RateLimitSettingsSchema,
  type ApiConfigSource,
  type ConfigSource,
  type PathConfigSource,
} from '../../proto/envoy/config/core/v3/config_source_pb.js';
import {
  GrpcService_EnvoyGrpcSchema,
  GrpcServiceSchema,
  type GrpcService_EnvoyGrpc,
  type GrpcService,
} from '../../proto/envoy/config/core/v3/grpc_service_pb.js';
import type { ApiSourceData, ConfigSourceData, GrpcServiceData, PathSourceData } from '../config-source-data.ts';
import { watchedDirectoryFields } from './data-source-decode.ts';
import { decodeGoogleGrpc } from './google-grpc-decode.ts';

const supported = new SupportedFields(ConfigSourceSchema, [
  'path',
  'path_config_source',
  'api_config_source',
  'ads',
  'initial_fetch_timeout',
  'resource_api_version',
]);
const pathFields = new SupportedFields(PathConfigSourceSchema, ['path', 'watched_directory']);
const apiFields = new SupportedFields(
  ApiConfigSourceSchema,
  ['api_type', 'transport_api_version', 'grpc_services', 'rate_limit_settings', 'set_node_on_first_message_only'],
  // They speak of REST.
  ['refresh_delay', 'request_timeout'],
);
const rateFields = new SupportedFields(RateLimitSettingsSchema, ['max_tokens', 'fill_rate']);
const serviceFields = new SupportedFields(GrpcServiceSchema, [
  'envoy_grpc',
  'google_grpc',
  'timeout',
  'initial_metadata',
]);
const envoyGrpcFields = new SupportedFields(GrpcService_EnvoyGrpcSchema, [
  'cluster_name',
  'authority',
  'max_receive_message_length',
  'skip_envoy_headers',
  'retry_policy',
]);
// Of streams of control planes: the rest means nothing there, and nobody else looks at it.
const retryFields = new SupportedFields(RetryPolicySchema, ['retry_back_off'], ['num_retries', 'retry_on']);
const backOffFields = new SupportedFields(BackoffStrategySchema, ['base_interval', 'max_interval']);
const metadataFields = new SupportedFields(HeaderValueSchema, ['key', 'value']);

/** Envoy's defaults. */
const initialFetchTimeoutMs = 15_000;
const defaultTokens = 100;
const defaultFill = 10;

const protocols: Readonly<Record<number, ApiSourceData['protocol']>> = {
  [ApiType.GRPC]: 'GRPC',
  [ApiType.DELTA_GRPC]: 'DELTA_GRPC',
};

/**
 * Null: reasons were added.
 * @param resource the name that is to be asked for; empty: all, or several that are known later
 */
export function decodeConfigSource(message: ConfigSource, reasons: Reasons, resource = ''): ConfigSourceData | null {
  supported.check(message, reasons);
  if (resource.startsWith('xdstp:')) reasons.add(`names of xdstp are not supported by sekisho: '${resource}'`);
  if (message.resourceApiVersion === ApiVersion.V2)
    reasons.at('resource_api_version').add('V2 is not supported; only V3 is');
  const from = decodeSpecifier(message, reasons);
  if (from === null) return null;
  return { initialFetchTimeoutMs: durationMs(message.initialFetchTimeout, initialFetchTimeoutMs), from };
}

function decodeSpecifier(
  { configSourceSpecifier: specifier }: ConfigSource,
  reasons: Reasons,
): ConfigSourceData['from'] | null {
  switch (specifier.case) {
    case 'path':
      return decodePath(specifier.value, '', reasons.at('path'));
    case 'pathConfigSource':
      return decodePathSource(specifier.value, reasons.at('path_config_source'));
    case 'apiConfigSource':
      return decodeApiSource(specifier.value, reasons.at('api_config_source'));
    case 'ads':
      return { kind: 'ads' };
    default:
      reasons.add('Missing config source specifier in envoy::config::core::v3::ConfigSource');
      return null;
  }
}

function decodePathSource(message: PathConfigSource, reasons: Reasons): PathSourceData | null {
  pathFields.check(message, reasons);
  const { watchedDirectory } = message;
  if (watchedDirectory !== undefined) watchedDirectoryFields.check(watchedDirectory, reasons.at('watched_directory'));
  return decodePath(message.path, watchedDirectory?.path ?? '', reasons.at('path'));
}

function decodePath(path: string, watchedDirectory: string, reasons: Reasons): PathSourceData | null {
  if (!existsSync(path)) {
    reasons.add(`paths must refer to an existing path in the system: '${path}' does not exist`);
    return null;
  }
  return { kind: 'path', path, watchedDirectory };
}

/** Null: reasons were added. */
export function decodeApiSource(message: ApiConfigSource, reasons: Reasons): ApiSourceData | null {
  apiFields.check(message, reasons);
  const protocol = protocols[message.apiType];
  if (protocol === undefined) {
    reasons.at('api_type').add(`${ApiType[message.apiType]} is not supported by sekisho here; GRPC and DELTA_GRPC are`);
    return null;
  }
  if (message.transportApiVersion === ApiVersion.V2)
    reasons.at('transport_api_version').add('V2 is not supported; only V3 is');
  if (message.grpcServices.length !== 1) {
    reasons
      .at('grpc_services')
      .add('GRPC and DELTA_GRPC need exactly one grpc_services; others to fall back to are not supported by sekisho');
    return null;
  }
  const services = message.grpcServices.map((service, i) => decodeService(service, reasons.at('grpc_services', i)));
  const found = services.filter((service) => service !== null);
  if (found.length < services.length) return null;
  const rate = message.rateLimitSettings;
  if (rate !== undefined) rateFields.check(rate, reasons.at('rate_limit_settings'));
  return {
    kind: 'api',
    protocol,
    services: found,
    rateLimit:
      rate === undefined
        ? null
        : { maxTokens: rate.maxTokens ?? defaultTokens, fillPerSecond: rate.fillRate ?? defaultFill },
    nodeOnFirstMessageOnly: message.setNodeOnFirstMessageOnly,
  };
}

/** Null: reasons were added. */
export function decodeService(message: GrpcService, reasons: Reasons): GrpcServiceData | null {
  serviceFields.check(message, reasons);
  const to = decodeTarget(message.targetSpecifier, reasons);
  if (to === null) return null;
  return {
    ...to,
    timeoutMs: durationMs(message.timeout, 0),
    initialMetadata: message.initialMetadata.map((header, i) => {
      metadataFields.check(header, reasons.at('initial_metadata', i));
      return { key: header.key, value: header.value };
    }),
  };
}

type Target = Omit<GrpcServiceData, 'timeoutMs' | 'initialMetadata'>;

function decodeTarget(target: GrpcService['targetSpecifier'], reasons: Reasons): Target | null {
  switch (target.case) {
    case 'envoyGrpc':
      return decodeEnvoyGrpc(target.value, reasons.at('envoy_grpc'));
    case 'googleGrpc': {
      const service = decodeGoogleGrpc(target.value, reasons.at('google_grpc'));
      return service === null ? null : { ...service, skipEnvoyHeaders: true };
    }
    default:
      return null;
  }
}

function decodeEnvoyGrpc(message: GrpcService_EnvoyGrpc, reasons: Reasons): Target {
  envoyGrpcFields.check(message, reasons);
  return {
    cluster: message.clusterName,
    ...decodeBackOff(message.retryPolicy, reasons.at('retry_policy')),
    authority: message.authority,
    skipEnvoyHeaders: message.skipEnvoyHeaders,
    maxReceiveMessageLength: message.maxReceiveMessageLength ?? 0,
  };
}

function decodeBackOff(policy: RetryPolicy | undefined, reasons: Reasons): Pick<GrpcServiceData, 'backOff'> {
  if (policy === undefined) return {};
  retryFields.check(policy, reasons);
  const { retryBackOff } = policy;
  if (retryBackOff === undefined) return {};
  const at = reasons.at('retry_back_off');
  backOffFields.check(retryBackOff, at);
  const baseMs = durationMs(retryBackOff.baseInterval, 0);
  const maxMs = durationMs(retryBackOff.maxInterval, 10 * baseMs);
  if (maxMs < baseMs) at.at('max_interval').add('max_interval must be greater than or equal to the base_interval');
  return { backOff: { baseMs, maxMs } };
}
