import { anyPack } from '@bufbuild/protobuf/wkt';
import { create, fromBinary, fromJson, toBinary } from '@bufbuild/protobuf';
import { AnySchema, anyUnpack, StructSchema } from '@bufbuild/protobuf/wkt';
import * as fc from '../../../../property/chance.ts';
import { expect, it } from 'vitest';
import { peerBytesMax } from '../../../../../src/filter/istio/workload/peer-header.ts';
import { unknownWorkload, Workload } from '../../../../../src/filter/istio/workload/workload.ts';
import { FrameReader, FrameState, writeFrame } from '../../../../../src/filter/network/metadata-exchange/frame.ts';

const none: ReadonlySet<string> = new Set();
const told = new Workload({ ...unknownWorkload, workload: 'w', namespace: 'n', app: 'ä' });
const frame = writeFrame('node-id', told);

/** As many pieces as there are cuts, and one. */
function inPieces(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, i) => bytes.slice(at[i], end));
}

function read(bytes: Uint8Array, cuts: readonly number[] = []): FrameReader {
  const reader = new FrameReader(none);
  const after: Uint8Array[] = [];
  for (const piece of inPieces(bytes, cuts)) {
    if (reader.isOver) after.push(piece);
    else reader.read(piece);
  }
  reader.rest = Buffer.concat([reader.rest, ...after]);
  return reader;
}

function framed(body: Uint8Array, magic = 0x3d230467, length = body.length): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(magic);
  head.writeUInt32BE(length, 4);
  return Buffer.concat([head, body]);
}

it('is a magic number, a length and a struct in an Any', () => {
  expect([...frame.subarray(0, 4)]).toEqual([0x3d, 0x23, 0x04, 0x67]);
  expect(Buffer.from(frame).readUInt32BE(4)).toBe(frame.length - 8);
  const struct = anyUnpack(fromBinary(AnySchema, frame.subarray(8)), StructSchema)!;
  expect(Object.keys(struct.fields)).toEqual(['x-envoy-peer-metadata', 'x-envoy-peer-metadata-id']);
});

it('is read in any pieces, and what follows is not of it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), fc.array(fc.nat(500)), (rest, cuts) => {
      const reader = read(Buffer.concat([frame, rest]), cuts);
      expect(reader.state).toBe(FrameState.Read);
      expect(reader.workload!.struct).toEqual(told.struct);
      expect(Buffer.compare(reader.rest, rest)).toBe(0);
    }),
  );
});

it('that does not come is what was sent in its place', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 8, maxLength: 60 }), fc.array(fc.nat(100)), (bytes, cuts) => {
      fc.pre(bytes[0] !== 0x3d);
      const reader = read(bytes, cuts);
      expect(reader.state).toBe(FrameState.NoMagic);
      expect(Buffer.compare(reader.rest, bytes)).toBe(0);
    }),
  );
});

it('of any body is read, or is malformed, and nothing behind it is lost', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.array(fc.nat(100)), (body, cuts) => {
      const reader = read(Buffer.concat([framed(body), Buffer.from('rest')]), cuts);
      expect([FrameState.Read, FrameState.Malformed]).toContain(reader.state);
      expect(Buffer.from(reader.rest).toString('latin1').endsWith('rest')).toBe(true);
    }),
  );
});

it('that is too long is not waited for', () => {
  const reader = read(framed(new Uint8Array(3), undefined, peerBytesMax + 1));
  expect(reader.state).toBe(FrameState.Malformed);
  expect(reader.rest).toHaveLength(3);
});

it('that is cut off is waited for', () => {
  expect(read(frame.subarray(0, 7)).state).toBe(FrameState.Initial);
  expect(read(frame.subarray(0, -1)).state).toBe(FrameState.Body);
});

it('of something else tells of no peer', () => {
  const other = toBinary(AnySchema, create(AnySchema, { typeUrl: 'type.googleapis.com/a.B' }));
  expect(read(framed(other)).state).toBe(FrameState.Malformed);
  const silent = toBinary(AnySchema, anyPack(StructSchema, fromJson(StructSchema, { a: 1 })));
  expect(read(framed(silent))).toMatchObject({ state: FrameState.Read, workload: null });
});
