import { noBytes } from '../../../core/bytes.ts';
import { peerBytesMax, peerIdField, peerMetadataField } from '../../istio/workload/peer-header.ts';
import { structOfWorkload, workloadOfStruct } from '../../istio/workload/workload-struct.ts';
import type { Workload, WorkloadFields } from '../../istio/workload/workload.ts';
import { eachField, readBytes, readStruct, within, writeStruct } from '../../wire/struct-wire.ts';
import { WireCursor, WireError } from '../../wire/wire-cursor.ts';
import { WireType } from '../../wire/wire-type.ts';
import { WireWriter } from '../../wire/wire-writer.ts';

/** First four bytes of what proxies send each other, in network order; four bytes of length follow. */
const magic = 0x3d230467;
const initialBytes = 8;
const structType = 'type.googleapis.com/google.protobuf.Struct';

/** What we send first: a struct of who we are, in an Any. */
export function writeFrame(id: string, workload: WorkloadFields): Uint8Array {
  const writer = new WireWriter();
  writer.tag(1, WireType.LengthDelimited).string(structType);
  writer.tag(2, WireType.LengthDelimited).begin();
  writeStruct(writer, { [peerMetadataField]: structOfWorkload(workload), ...(id !== '' && { [peerIdField]: id }) });
  writer.end();
  const any = writer.finish();
  const frame = new Uint8Array(initialBytes + any.length);
  const view = new DataView(frame.buffer);
  view.setUint32(0, magic);
  view.setUint32(4, any.length);
  frame.set(any, initialBytes);
  return frame;
}

/** How far a peer's frame has come. */
export const FrameState = {
  /** Its first eight bytes are not all here. */
  Initial: 0,
  Body: 1,
  Read: 2,
  /** The peer does not send one. */
  NoMagic: 3,
  /** It is none that Istio's proxies send. */
  Malformed: 4,
} as const;
export type FrameState = (typeof FrameState)[keyof typeof FrameState];

/** Reads the frame that a peer sends first, in whatever pieces it comes. */
export class FrameReader {
  state: FrameState;
  /** Of a frame that was read; null: it says nothing of who sent it. */
  workload: Workload | null;
  /** In the end, what is not of the frame; until then, what is held back. */
  rest: Uint8Array;
  private readonly moreLabels: ReadonlySet<string>;
  private bodyBytes: number;

  constructor(moreLabels: ReadonlySet<string>) {
    this.state = FrameState.Initial;
    this.workload = null;
    this.rest = noBytes;
    this.moreLabels = moreLabels;
    this.bodyBytes = 0;
  }

  get isOver(): boolean {
    return this.state >= FrameState.Read;
  }

  /** `chunk` is the giver's again afterwards, unless it is over: `rest` may be a piece of it. */
  read(chunk: Uint8Array): void {
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    this.rest = bytes;
    if (this.state === FrameState.Initial && bytes.length >= initialBytes) this.readInitial(bytes);
    if (this.state === FrameState.Body && this.rest.length >= this.bodyBytes) this.readBody();
    if (!this.isOver && bytes === chunk) this.rest = this.rest.slice();
  }

  private readInitial(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (view.getUint32(0) !== magic) {
      this.state = FrameState.NoMagic;
      return;
    }
    this.bodyBytes = view.getUint32(4);
    this.rest = bytes.subarray(initialBytes);
    this.state = this.bodyBytes > peerBytesMax ? FrameState.Malformed : FrameState.Body;
  }

  private readBody(): void {
    const body = this.rest.subarray(0, this.bodyBytes);
    const struct = structIn(body);
    if (struct === null) {
      // As Istio: what cannot be read is somebody else's.
      this.state = FrameState.Malformed;
      return;
    }
    const told = struct[peerMetadataField];
    if (typeof told === 'object' && told !== null && !Array.isArray(told))
      this.workload = workloadOfStruct(told as Readonly<Record<string, unknown>>, this.moreLabels);
    this.rest = this.rest.subarray(this.bodyBytes);
    this.state = FrameState.Read;
  }
}

/** Null: it is no struct in an Any. */
function structIn(body: Uint8Array): Record<string, unknown> | null {
  const cursor = new WireCursor(body);
  let type = '';
  let struct: Record<string, unknown> = {};
  try {
    eachField(cursor, (number) => {
      if (number === 1) type = readBytes(cursor);
      else if (number === 2) within(cursor, () => (struct = readStruct(cursor)));
      else return false;
      return true;
    });
  } catch (error) {
    if (error instanceof WireError) return null;
    throw error;
  }
  return type === structType ? struct : null;
}
