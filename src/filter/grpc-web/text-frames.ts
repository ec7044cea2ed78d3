import { frameHeadBytes, GrpcFrameReader } from '../grpc/grpc-frames.ts';
import { Base64Encoder } from './base64.ts';

/**
 * Turns a gRPC body into the base64 of `grpc-web-text`, in which every frame ends with its padding, as Envoy writes it.
 * Frames pass as they come: none is held until it is whole.
 */
export class TextFrames extends GrpcFrameReader {
  private readonly encoder: Base64Encoder;
  private chunk: Uint8Array;
  /** Bytes of `chunk` that are encoded. */
  private from: number;
  private text: Uint8Array;
  private length: number;

  constructor() {
    super();
    this.encoder = new Base64Encoder();
    this.chunk = nothing;
    this.from = 0;
    this.text = nothing;
    this.length = 0;
  }

  encode(chunk: Uint8Array): Uint8Array {
    // No frame is shorter than its head, and one more may end that began earlier.
    const framesMax = Math.floor(chunk.length / frameHeadBytes) + 1;
    this.chunk = chunk;
    this.from = 0;
    this.text = new Uint8Array(Base64Encoder.room(chunk.length, framesMax));
    this.length = 0;
    this.read(chunk);
    this.encodeTo(chunk.length);
    const text = this.text.subarray(0, this.length);
    this.chunk = nothing;
    this.text = nothing;
    return text;
  }

  /** What is left of a body that ended within a frame, and `last` behind it. */
  finish(last: Uint8Array): Uint8Array {
    const text = new Uint8Array(Base64Encoder.room(last.length, 2));
    let length = this.encoder.flush(text, 0);
    length = this.encoder.write(last, 0, last.length, text, length);
    return text.subarray(0, this.encoder.flush(text, length));
  }

  protected override onFrameEnd(at: number): void {
    this.encodeTo(at);
    this.length = this.encoder.flush(this.text, this.length);
  }

  private encodeTo(end: number): void {
    this.length = this.encoder.write(this.chunk, this.from, end, this.text, this.length);
    this.from = end;
  }
}

const nothing: Uint8Array = new Uint8Array(0);
