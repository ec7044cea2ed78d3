import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { WorkloadInfo } from '../state/mesh.ts';

/** Longest packet of the protocol. */
export const packetBytesMax = 1024;

/** What the CNI plugin says. A packet each. */
export type CniRequest =
  | { readonly kind: 'add'; readonly uid: string; readonly info: WorkloadInfo }
  | { readonly kind: 'keep' | 'delete'; readonly uid: string }
  | { readonly kind: 'snapshot-sent' };

/** A packet that is none of the protocol's. */
export class CniError extends Error {}

const RequestField = { add: 1, del: 2, snapshotSent: 3, keep: 5 } as const;
const AddField = { uid: 1, info: 2 } as const;
const InfoField = { name: 1, namespace: 2, serviceAccount: 3 } as const;
const uidOfDelete = 2;
const uidOfKeep = 1;

/** @throws CniError */
export function readCniRequest(packet: Uint8Array): CniRequest {
  let request: CniRequest | null = null;
  try {
    eachField(packet, (field, content) => {
      if (field === RequestField.add) request = readAdd(content);
      else if (field === RequestField.del) request = { kind: 'delete', uid: textField(content, uidOfDelete) };
      else if (field === RequestField.keep) request = { kind: 'keep', uid: textField(content, uidOfKeep) };
      else if (field === RequestField.snapshotSent) request = { kind: 'snapshot-sent' };
    });
  } catch (error) {
    if (error instanceof CniError) throw error;
    throw new CniError(`not a message: ${(error as Error).message}`);
  }
  if (request === null) throw new CniError('a message of no known kind');
  return request;
}

/** Who we are: version 1. */
export function cniHello(): Uint8Array {
  return Uint8Array.of(0x08, 0x01);
}

/** The answer to each packet. `error`: empty where it was done. */
export function cniAck(error: string): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.LengthDelimited).fork();
  if (error !== '') writer.tag(1, WireType.LengthDelimited).string(error.slice(0, packetBytesMax / 2));
  return writer.join().finish();
}

function readAdd(content: Uint8Array): CniRequest {
  let uid = '';
  let info: WorkloadInfo | null = null;
  eachField(content, (field, value) => {
    if (field === AddField.uid) uid = textOf(value);
    else if (field === AddField.info) info = readInfo(value);
  });
  if (uid === '') throw new CniError('a workload without a uid');
  if (info === null) throw new CniError('a workload without workload_info');
  return { kind: 'add', uid, info };
}

function readInfo(content: Uint8Array): WorkloadInfo {
  return {
    name: textField(content, InfoField.name),
    namespace: textField(content, InfoField.namespace),
    serviceAccount: textField(content, InfoField.serviceAccount),
  };
}

function textField(content: Uint8Array, wanted: number): string {
  let text = '';
  eachField(content, (field, value) => {
    if (field === wanted) text = textOf(value);
  });
  return text;
}

/** Those that have a length; others are passed over. */
function eachField(content: Uint8Array, tell: (field: number, value: Uint8Array) => void): void {
  const reader = new BinaryReader(content);
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    if (wire === WireType.LengthDelimited) tell(field, reader.bytes());
    else reader.skip(wire, field);
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}
