import { FrameKind, GrpcFrameReader } from '../grpc/grpc-frames.ts';

/** Flag of the frame that ends a streaming Connect response ("EndStreamResponse"). */
const endStreamFlag = 2;
/** Bytes of such a frame that are looked at: an error with its details. A longer one counts as a failure. */
export const endStreamBytesMax = 65_536;

const EndState = { None: 0, Reading: 1, Success: 2, Failure: 3 } as const;
type EndState = (typeof EndState)[keyof typeof EndState];

/** Reads a streaming Connect response: messages, and a frame at the end that says how it went. */
export class ConnectResponseReader extends GrpcFrameReader {
  private end: EndState;
  private text: string;
  private size: number;
  private readonly decoder: TextDecoder;

  constructor() {
    super();
    this.end = EndState.None;
    this.text = '';
    this.size = 0;
    this.decoder = new TextDecoder();
  }

  get isSuccess(): boolean {
    return this.end === EndState.Success;
  }

  protected override onFrame(flags: number): FrameKind {
    if (this.end !== EndState.None) return FrameKind.Excess;
    if ((flags & endStreamFlag) === 0) return FrameKind.Message;
    this.end = EndState.Reading;
    return FrameKind.Other;
  }

  protected override onBytes(chunk: Uint8Array, start: number, end: number): void {
    if (this.end !== EndState.Reading) return;
    this.size += end - start;
    if (this.size <= endStreamBytesMax) this.text += this.decoder.decode(chunk.subarray(start, end), { stream: true });
  }

  protected override onFrameEnd(): void {
    if (this.end !== EndState.Reading) return;
    const isWhole = this.size <= endStreamBytesMax;
    this.end = isWhole && saysSuccess(this.text) ? EndState.Success : EndState.Failure;
    this.text = '';
  }
}

/** A JSON object without `error`. */
function saysSuccess(text: string): boolean {
  try {
    const message: unknown = JSON.parse(text);
    return typeof message === 'object' && message !== null && !Array.isArray(message) && !('error' in message);
  } catch {
    return false;
  }
}
