import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

const service = '/envoy.service.discovery.v3.AggregatedDiscoveryService';
export const stateOfTheWorldPath = `${service}/StreamAggregatedResources`;
export const deltaPath = `${service}/DeltaAggregatedResources`;

const prefix = 'type.googleapis.com/';
/** What a proxy asks for last of what the agent waits for before it asks for its own. */
export const listenerType = `${prefix}envoy.config.listener.v3.Listener`;
export const nameTableType = `${prefix}istio.networking.nds.v1.NameTable`;
export const proxyConfigType = `${prefix}istio.mesh.v1alpha1.ProxyConfig`;

/** Where a message has what is looked at; the rest is handed on as it is. */
export interface MessageForm {
  readonly requestType: number;
  readonly requestVersion: number;
  readonly requestNonce: number;
  readonly requestError: number;
  /** Of a resource in an answer, the field that has the packed message; 0: the resource is the packed message. */
  readonly resourcePacked: number;
}

/** DiscoveryRequest. */
export const stateOfTheWorld: MessageForm = {
  requestType: 4,
  requestVersion: 1,
  requestNonce: 5,
  requestError: 6,
  resourcePacked: 0,
};
/** DeltaDiscoveryRequest, which says no version. */
export const delta: MessageForm = {
  requestType: 2,
  requestVersion: 0,
  requestNonce: 6,
  requestError: 7,
  resourcePacked: 2,
};

/** The same of DiscoveryResponse and DeltaDiscoveryResponse; versions are `version_info` and `system_version_info`. */
const AnswerField = { version: 1, resources: 2, type: 4, nonce: 5 } as const;
const anyValue = 2;
const StatusField = { code: 1, message: 2 } as const;
const internalError = 13;

/** Empty: it names none. @throws Error: it is no such message */
export function typeOfRequest(bytes: Uint8Array, form: MessageForm): string {
  return textField(bytes, form.requestType);
}

export function typeOfAnswer(bytes: Uint8Array): string {
  return textField(bytes, AnswerField.type);
}

/** What the agent itself is sent. */
export interface OwnAnswer {
  readonly version: string;
  readonly nonce: string;
  /** The packed messages. */
  readonly resources: readonly Uint8Array[];
}

/** @throws Error: it is no such message */
export function decodeOwnAnswer(bytes: Uint8Array, form: MessageForm): OwnAnswer {
  const reader = new BinaryReader(bytes);
  let version = '';
  let nonce = '';
  const resources: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    if (field === AnswerField.version) version = reader.string();
    else if (field === AnswerField.nonce) nonce = reader.string();
    else if (field === AnswerField.resources) {
      const resource = reader.bytes();
      const packed = form.resourcePacked === 0 ? resource : bytesField(resource, form.resourcePacked);
      resources.push(bytesField(packed, anyValue));
    } else reader.skip(wire, field);
  }
  return { version, nonce, resources };
}

/** A request of the agent's own: the first, or the answer to an answer. @param refusal empty: it is taken */
export function encodeOwnRequest(type: string, form: MessageForm, answer: OwnAnswer | null, refusal = ''): Uint8Array {
  const writer = new BinaryWriter();
  const text = (field: number, value: string): void => {
    if (field !== 0 && value !== '') writer.tag(field, WireType.LengthDelimited).string(value);
  };
  text(form.requestType, type);
  if (answer === null) return writer.finish();
  text(form.requestVersion, answer.version);
  text(form.requestNonce, answer.nonce);
  if (refusal !== '') {
    writer.tag(form.requestError, WireType.LengthDelimited).fork();
    writer.tag(StatusField.code, WireType.Varint).int32(internalError);
    text(StatusField.message, refusal);
    writer.join();
  }
  return writer.finish();
}

function textField(bytes: Uint8Array, wanted: number): string {
  return new TextDecoder().decode(bytesField(bytes, wanted));
}

/** Empty: there is none. */
function bytesField(bytes: Uint8Array, wanted: number): Uint8Array {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    if (field === wanted && wire === WireType.LengthDelimited) return reader.bytes();
    reader.skip(wire, field);
  }
  return new Uint8Array();
}
