import { readStruct, writeStruct } from '../../wire/struct-wire.ts';
import { WireCursor, WireError } from '../../wire/wire-cursor.ts';
import { WireWriter } from '../../wire/wire-writer.ts';
import { structOfWorkload, workloadOfStruct } from './workload-struct.ts';
import type { Workload, WorkloadFields } from './workload.ts';

export const peerMetadataField = 'x-envoy-peer-metadata';
export const peerIdField = 'x-envoy-peer-metadata-id';

/** So many peers are remembered. Istio's. */
const peersMax = 500;
/** Longer values are not looked at: a struct of a workload takes some hundreds. */
export const peerBytesMax = 65_536;

const notBase64 = /[^A-Za-z0-9+/=]/;

/** The value of `x-envoy-peer-metadata`. */
export function writePeerHeader(workload: WorkloadFields): string {
  const writer = new WireWriter();
  writeStruct(writer, structOfWorkload(workload));
  return Buffer.from(writer.finish()).toString('base64');
}

/** Null: it is not what Istio's proxies send. */
export function readPeerHeader(value: string, moreLabels: ReadonlySet<string>): Workload | null {
  if (value.length > peerBytesMax || notBase64.test(value)) return null;
  return readPeerStruct(Buffer.from(value, 'base64'), moreLabels);
}

/** Of the bytes of a `google.protobuf.Struct`; null: they are none. */
export function readPeerStruct(bytes: Uint8Array, moreLabels: ReadonlySet<string>): Workload | null {
  try {
    return workloadOfStruct(readStruct(new WireCursor(bytes)), moreLabels);
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
}

/**
 * Peers by the id that they send with their metadata, so that these are read once. One who sends other metadata under the
 * same id is read anew: an id is anybody's to send.
 */
export class KnownPeers {
  private readonly moreLabels: ReadonlySet<string>;
  private readonly byId: Map<string, { readonly value: string; readonly workload: Workload | null }>;

  constructor(moreLabels: ReadonlySet<string>) {
    this.moreLabels = moreLabels;
    this.byId = new Map();
  }

  /** Null: the value is not what proxies send. */
  of(id: string, value: string): Workload | null {
    const known = this.byId.get(id);
    if (known !== undefined && known.value === value) return known.workload;
    const workload = readPeerHeader(value, this.moreLabels);
    if (this.byId.size >= peersMax && known === undefined) this.forgetOldest();
    this.byId.set(id, { value, workload });
    return workload;
  }

  private forgetOldest(): void {
    let left = peersMax / 4;
    for (const id of this.byId.keys()) {
      if (left-- === 0) return;
      this.byId.delete(id);
    }
  }
}
