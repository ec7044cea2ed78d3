import { writeLatin1 } from '../../core/bytes.ts';
import type { Headers } from '../../core/headers.ts';
import { frameHeadBytes, writeFrameHead } from '../grpc/grpc-frames.ts';

/** Flag of the frame that holds trailers (gRPC-Web, "Protocol differences"). */
const trailersFlag = 0x80;

/** Trailers as the last frame of a gRPC-Web body. */
export function trailersFrame({ names, values }: Headers): Uint8Array {
  let text = '';
  for (let i = 0; i < names.length; i++) text += `${names[i]}:${values[i]}\r\n`;
  const frame = new Uint8Array(frameHeadBytes + text.length);
  writeFrameHead(frame, trailersFlag, text.length);
  writeLatin1(frame, text, frameHeadBytes);
  return frame;
}
