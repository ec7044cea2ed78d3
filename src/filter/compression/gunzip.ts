import { constants, crc32, createInflateRaw } from 'node:zlib';
import { noBytes } from '../../core/bytes.ts';
import { ByteEngine } from './byte-engine.ts';
import { GzipHeader } from './gzip-header.ts';

const trailerBytes = 8;

/**
 * gzip members, one behind the other; what follows them and is none is left alone, as browsers do. Node's own gunzip
 * takes that for an error, and gives nothing of what came before it.
 */
export class Gunzip {
  private readonly engine: ByteEngine;
  private header: GzipHeader;
  private members: number;
  /** Of this member's trailer. */
  private readonly trailer: number[];
  private isInTrailer: boolean;
  private checksum: number;
  private size: number;
  /** Nothing that comes is of interest. */
  private isOver: boolean;
  /** The last call met something that is no gzip, or gzip that does not add up. */
  hasFailed: boolean;
  isOverLimit: boolean;

  constructor(windowBits: number) {
    this.engine = new ByteEngine(createInflateRaw({ windowBits }));
    this.header = new GzipHeader();
    this.members = 0;
    this.trailer = [];
    this.isInTrailer = false;
    this.checksum = 0;
    this.size = 0;
    this.isOver = false;
    this.hasFailed = false;
    this.isOverLimit = false;
  }

  run(chunk: Uint8Array, bytesMax: number, stepBytes: number): Uint8Array {
    this.hasFailed = false;
    this.isOverLimit = false;
    let bytes: Uint8Array = noBytes;
    let at = 0;
    while (at < chunk.length && !this.isOver && !this.hasFailed && !this.isOverLimit) {
      if (this.isInTrailer) at = this.readTrailer(chunk, at);
      else if (!this.header.isRead) at = this.readHeader(chunk, at);
      else {
        const piece = this.inflate(chunk.subarray(at), bytesMax - bytes.length, stepBytes);
        at = chunk.length - this.engine.bytesLeft;
        bytes = bytes.length === 0 ? piece : concatenated(bytes, piece);
      }
    }
    return bytes;
  }

  close(): void {
    this.engine.close();
  }

  private readHeader(chunk: Uint8Array, at: number): number {
    const { header } = this;
    const next = at + header.read(chunk, at);
    if (!header.isWrong) return next;
    // Behind a member it is something else, and no concern of ours.
    if (this.members > 0) this.isOver = true;
    else {
      this.hasFailed = true;
      this.header = new GzipHeader();
    }
    return next;
  }

  private inflate(input: Uint8Array, bytesMax: number, stepBytes: number): Uint8Array {
    const { engine } = this;
    const bytes = engine.run(constants.Z_SYNC_FLUSH, input, bytesMax, stepBytes);
    this.hasFailed = engine.failure !== '';
    this.isOverLimit = engine.isOverLimit;
    this.checksum = crc32(bytes, this.checksum);
    this.size += bytes.length;
    if (engine.bytesLeft > 0 && !this.hasFailed && !this.isOverLimit) this.isInTrailer = true;
    return bytes;
  }

  private readTrailer(chunk: Uint8Array, at: number): number {
    const { trailer } = this;
    let next = at;
    while (next < chunk.length && trailer.length < trailerBytes) trailer.push(chunk[next++]);
    if (trailer.length < trailerBytes) return next;
    this.hasFailed = word(trailer, 0) !== this.checksum || word(trailer, 4) !== this.size % 2 ** 32;
    this.members++;
    this.header = new GzipHeader();
    this.engine.reset();
    this.isInTrailer = false;
    trailer.length = 0;
    this.checksum = 0;
    this.size = 0;
    return next;
  }
}

function word(bytes: readonly number[], at: number): number {
  return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
}

function concatenated(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
