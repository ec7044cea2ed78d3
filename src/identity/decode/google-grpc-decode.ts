import { Reasons } from '../../core/rejection.ts';
import { SupportedFields } from '../../core/supported-fields.ts';
import { xxHash64 } from '../../core/xx-hash64.ts';
import {
  GrpcService_GoogleGrpc_CallCredentials_MetadataCredentialsFromPluginSchema,
  GrpcService_GoogleGrpc_CallCredentialsSchema,
  GrpcService_GoogleGrpc_ChannelArgsSchema,
  GrpcService_GoogleGrpc_ChannelCredentialsSchema,
  GrpcService_GoogleGrpc_SslCredentialsSchema,
  GrpcService_GoogleGrpcSchema,
  type GrpcService_GoogleGrpc,
} from '../../proto/envoy/config/core/v3/grpc_service_pb.js';
import {
  FileBasedMetadataConfigSchema,
  type FileBasedMetadataConfig,
} from '../../proto/envoy/config/grpc_credential/v3/file_based_metadata_pb.js';
import { fromBinary, toBinary } from '../../proto/protobuf.js';
import type { CallCredentialData, GoogleTarget } from '../google-service-data.ts';
import { SourceReader } from './data-source-decode.ts';
import { parseGoogleTarget } from './google-target.ts';

/** A service of `google_grpc` that something names: there must be a cluster for it. Of the main thread. */
export class GoogleServiceNeed {
  /** Of the cluster. */
  readonly name: string;
  readonly message: GrpcService_GoogleGrpc;
  readonly target: GoogleTarget;

  constructor(name: string, message: GrpcService_GoogleGrpc, target: GoogleTarget) {
    this.name = name;
    this.message = message;
    this.target = target;
  }
}

const supported = new SupportedFields(GrpcService_GoogleGrpcSchema, [
  'target_uri',
  'channel_credentials',
  'call_credentials',
  'stat_prefix',
  'credentials_factory_name',
  'channel_args',
]);
const channelFields = new SupportedFields(GrpcService_GoogleGrpc_ChannelCredentialsSchema, [
  'ssl_credentials',
  'local_credentials',
]);
const sslFields = new SupportedFields(GrpcService_GoogleGrpc_SslCredentialsSchema, [
  'root_certs',
  'private_key',
  'cert_chain',
]);
const callFields = new SupportedFields(GrpcService_GoogleGrpc_CallCredentialsSchema, ['access_token', 'from_plugin']);
const pluginFields = new SupportedFields(GrpcService_GoogleGrpc_CallCredentials_MetadataCredentialsFromPluginSchema, [
  'name',
  'typed_config',
]);
const fileFields = new SupportedFields(FileBasedMetadataConfigSchema, ['secret_data', 'header_key', 'header_prefix']);
const argumentFields = new SupportedFields(GrpcService_GoogleGrpc_ChannelArgsSchema, ['args']);

const defaultFactory = 'envoy.grpc_credentials.default';
const fileFactory = 'envoy.grpc_credentials.file_based_metadata';

/** What of gRPC's arguments of channels has a meaning here. */
const texts = ['grpc.default_authority', 'grpc.ssl_target_name_override'] as const;
const numbers = ['grpc.max_receive_message_length', 'grpc.keepalive_time_ms', 'grpc.keepalive_timeout_ms'] as const;
type ChannelText = (typeof texts)[number];
type ChannelNumber = (typeof numbers)[number];

interface DecodedGoogleService {
  /** Of the cluster that is to be made of it. */
  readonly cluster: string;
  readonly authority: string;
  /** 0: the limit of our own. */
  readonly maxReceiveMessageLength: number;
}

/** A cluster of our own is needed for it (`Reasons.needs`). Null: reasons were added. */
export function decodeGoogleGrpc(message: GrpcService_GoogleGrpc, reasons: Reasons): DecodedGoogleService | null {
  const before = reasons.list.length;
  supported.check(message, reasons);
  const target = parseGoogleTarget(message.targetUri);
  if (typeof target === 'string') {
    reasons.at('target_uri').add(target);
    return null;
  }
  checkChannel(message, target, reasons);
  checkArguments(message, reasons.at('channel_args'));
  checkCalls(message, target, reasons);
  if (reasons.list.length > before) return null;
  // Whoever says the same of a server shares its connections.
  const { high, low } = xxHash64(toBinary(GrpcService_GoogleGrpcSchema, message));
  const name = `google_grpc_${message.statPrefix}_${hex(high)}${hex(low)}`;
  reasons.needs.push(new GoogleServiceNeed(name, message, target));
  return {
    cluster: name,
    authority: channelText(message, 'grpc.default_authority') ?? target.authority,
    maxReceiveMessageLength: Math.max(0, channelNumber(message, 'grpc.max_receive_message_length') ?? 0),
  };
}

/** Absent: not configured. */
export function channelText({ channelArgs }: GrpcService_GoogleGrpc, name: ChannelText): string | undefined {
  const value = channelArgs?.args[name]?.valueSpecifier;
  return value?.case === 'stringValue' ? value.value : undefined;
}

export function channelNumber({ channelArgs }: GrpcService_GoogleGrpc, name: ChannelNumber): number | undefined {
  const value = channelArgs?.args[name]?.valueSpecifier;
  return value?.case === 'intValue' ? Number(value.value) : undefined;
}

/** Of one that has been decoded. */
export function callCredentials({ callCredentials: list }: GrpcService_GoogleGrpc): CallCredentialData[] {
  return list.map(({ credentialSpecifier: { case: kind, value } }): CallCredentialData => {
    if (kind === 'accessToken')
      return { key: 'authorization', prefix: 'Bearer ', source: { kind: 'text', text: value } };
    const config = fileConfig(kind === 'fromPlugin' ? value.configType.value?.value : undefined);
    const key = config.headerKey === '' ? 'authorization' : config.headerKey.toLowerCase();
    return { key, prefix: config.headerPrefix, source: secretOf(config) };
  });
}

/** A server is spoken to by TLS unless nothing, or a socket of this machine, is said of its channel. */
export function usesTls({ channelCredentials, credentialsFactoryName }: GrpcService_GoogleGrpc): boolean {
  const kind = channelCredentials?.credentialSpecifier.case;
  return kind === 'sslCredentials' || (kind === undefined && credentialsFactoryName === fileFactory);
}

function checkChannel({ channelCredentials }: GrpcService_GoogleGrpc, target: GoogleTarget, reasons: Reasons): void {
  if (channelCredentials === undefined) return;
  const at = reasons.at('channel_credentials');
  channelFields.check(channelCredentials, at);
  const { credentialSpecifier: specifier } = channelCredentials;
  if (specifier.case === 'sslCredentials') {
    const ssl = at.at('ssl_credentials');
    sslFields.check(specifier.value, ssl);
    const { rootCerts, privateKey, certChain } = specifier.value;
    for (const [field, source] of [
      ['root_certs', rootCerts],
      ['private_key', privateKey],
      ['cert_chain', certChain],
    ] as const) {
      const { problem } = new SourceReader().read(source, ssl.at(field));
      if (problem !== '') ssl.at(field).add(problem);
    }
    if ((privateKey === undefined) !== (certChain === undefined))
      ssl.add('private_key and cert_chain must both be set, or neither');
  }
  if (specifier.case === 'localCredentials' && target.kind !== 'pipe')
    at.at('local_credentials').add("they are for sockets of this machine: a target_uri of 'unix:'");
}

function checkArguments({ channelArgs }: GrpcService_GoogleGrpc, reasons: Reasons): void {
  if (channelArgs === undefined) return;
  argumentFields.check(channelArgs, reasons);
  for (const [name, { valueSpecifier: value }] of Object.entries(channelArgs.args)) {
    const at = reasons.at('args', `'${name}'`);
    const isText = texts.some((text) => text === name);
    if (!isText && !numbers.some((number) => number === name))
      at.add(`is not supported by sekisho; allowed: ${[...texts, ...numbers].join(', ')}`);
    else if (value.case !== (isText ? 'stringValue' : 'intValue'))
      at.add(`must be ${isText ? 'a string_value' : 'an int_value'}`);
  }
}

function checkCalls(message: GrpcService_GoogleGrpc, target: GoogleTarget, reasons: Reasons): void {
  const { credentialsFactoryName: factory, callCredentials: list } = message;
  // Envoy's words.
  if (!['', defaultFactory, fileFactory].includes(factory))
    reasons.at('credentials_factory_name').add(`Unknown google grpc credentials factory: ${factory}`);
  if (list.length > 0 && !usesTls(message) && target.kind !== 'pipe')
    reasons.at('call_credentials').add('they are told to nobody who is not known: set ssl_credentials');
  for (const [i, credential] of list.entries()) {
    const at = reasons.at('call_credentials', i);
    callFields.check(credential, at);
    const { credentialSpecifier: specifier } = credential;
    if (specifier.case === 'accessToken' && factory === fileFactory)
      at.at('access_token').add(`means nothing to ${fileFactory}`);
    if (specifier.case !== 'fromPlugin') continue;
    pluginFields.check(specifier.value, at.at('from_plugin'));
    if (factory !== fileFactory) at.at('from_plugin').add(`needs the credentials_factory_name ${fileFactory}`);
    checkPlugin(
      specifier.value.configType.value?.typeUrl,
      specifier.value.configType.value?.value,
      at.at('from_plugin'),
    );
  }
}

function checkPlugin(typeUrl: string | undefined, packed: Uint8Array | undefined, reasons: Reasons): void {
  const at = reasons.at('typed_config');
  const kind = typeUrl?.slice(typeUrl.lastIndexOf('/') + 1) ?? '';
  if (kind !== FileBasedMetadataConfigSchema.typeName) {
    at.add(`'${kind}' is not supported by sekisho; ${FileBasedMetadataConfigSchema.typeName} is`);
    return;
  }
  const config = readable(packed, at);
  if (config === null) return;
  fileFields.check(config, at);
  if (config.secretData === undefined) at.at('secret_data').add('must be set');
  // A file may come later; what stands in the configuration is there, or never.
  else if (config.secretData.specifier.case !== 'filename') {
    const { problem } = new SourceReader().read(config.secretData, at.at('secret_data'));
    if (problem !== '') at.at('secret_data').add(problem);
  } else if (config.secretData.watchedDirectory !== undefined)
    at.at('secret_data')
      .at('watched_directory')
      .add('is not supported by sekisho here: the file is read for every call');
}

function readable(packed: Uint8Array | undefined, reasons: Reasons): FileBasedMetadataConfig | null {
  try {
    return fileConfig(packed);
  } catch (error) {
    reasons.add(`it cannot be read: ${(error as Error).message}`);
    return null;
  }
}

function fileConfig(packed: Uint8Array = new Uint8Array(0)): FileBasedMetadataConfig {
  return fromBinary(FileBasedMetadataConfigSchema, packed);
}

function secretOf({ secretData }: FileBasedMetadataConfig): CallCredentialData['source'] {
  if (secretData?.specifier.case === 'filename') return { kind: 'file', path: secretData.specifier.value };
  const { bytes } = new SourceReader().read(secretData, new Reasons());
  return { kind: 'text', text: Buffer.from(bytes).toString('latin1') };
}

function hex(half: number): string {
  return (half >>> 0).toString(16).padStart(8, '0');
}
