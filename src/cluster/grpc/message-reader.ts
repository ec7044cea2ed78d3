import { noBytes } from '../../core/bytes.ts';
import { messageHeadBytes } from './message-frame.ts';

/** What may be wrong with a body of messages. */
export const MessageFault = { None: 0, Compressed: 1, TooLarge: 2 } as const;
export type MessageFault = (typeof MessageFault)[keyof typeof MessageFault];

/** Who gets the messages, each its own for good. */
export interface MessageListener {
  onFramedMessage(message: Uint8Array): void;
}

/** Cuts a body into its messages, which may be split in any way. */
export class MessageReader {
  private readonly messageBytesMax: number;
  private readonly listener: MessageListener;
  private readonly head: Uint8Array;
  private headLength: number;
  private body: Uint8Array;
  private bodyLength: number;

  constructor(messageBytesMax: number, listener: MessageListener) {
    this.messageBytesMax = messageBytesMax;
    this.listener = listener;
    this.head = new Uint8Array(messageHeadBytes);
    this.headLength = 0;
    this.body = noBytes;
    this.bodyLength = 0;
  }

  /** A message has begun and has not ended. */
  get isInside(): boolean {
    return this.headLength > 0;
  }

  /** Not to be called again after a fault. */
  read(chunk: Uint8Array): MessageFault {
    let at = 0;
    while (at < chunk.length) {
      if (this.headLength < messageHeadBytes) {
        this.head[this.headLength++] = chunk[at++];
        if (this.headLength < messageHeadBytes) continue;
        const fault = this.begin();
        if (fault !== MessageFault.None) return fault;
      }
      const size = Math.min(chunk.length - at, this.body.length - this.bodyLength);
      this.body.set(chunk.subarray(at, at + size), this.bodyLength);
      at += size;
      this.bodyLength += size;
      if (this.bodyLength === this.body.length) this.end();
    }
    return MessageFault.None;
  }

  private begin(): MessageFault {
    const { head } = this;
    if (head[0] !== 0) return MessageFault.Compressed;
    const size = ((head[1] << 24) | (head[2] << 16) | (head[3] << 8) | head[4]) >>> 0;
    if (size > this.messageBytesMax) return MessageFault.TooLarge;
    this.body = new Uint8Array(size);
    this.bodyLength = 0;
    return MessageFault.None;
  }

  private end(): void {
    const { body } = this;
    this.headLength = 0;
    this.body = noBytes;
    this.bodyLength = 0;
    this.listener.onFramedMessage(body);
  }
}
