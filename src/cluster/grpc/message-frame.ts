/** Of each message: a flag for compression, and its length (32 bits). */
export const messageHeadBytes = 5;

/** A message as it travels in the body of a request or an answer; not compressed. */
export function frameMessage(message: Uint8Array): Uint8Array {
  const { length } = message;
  const frame = new Uint8Array(messageHeadBytes + length);
  frame[1] = length >>> 24;
  frame[2] = length >>> 16;
  frame[3] = length >>> 8;
  frame[4] = length;
  frame.set(message, messageHeadBytes);
  return frame;
}
