import { frameHeadBytes } from '../../grpc/grpc-frames.ts';
import type { MessagePlan } from '../schema/message-plan.ts';
import { MessageCutter } from './message-cutter.ts';
import type { MessagePrinter } from './message-printer.ts';
import type { ResponseTranslation, StreamFraming } from './response-translation.ts';

const encoder = new TextEncoder();

/** Messages as JSON: one, or a stream of them. */
export class JsonResponse implements ResponseTranslation {
  error: string;
  isFramingError: boolean;
  private readonly printer: MessagePrinter;
  private readonly plan: MessagePlan;
  private readonly messages: MessageCutter;
  /** Null: there is one message, and what follows it means nothing. */
  private readonly framing: StreamFraming | null;
  private text: string;
  private count: number;

  constructor(printer: MessagePrinter, plan: MessagePlan, framing: StreamFraming | null) {
    this.error = '';
    this.isFramingError = false;
    this.printer = printer;
    this.plan = plan;
    this.messages = new MessageCutter();
    this.framing = framing;
    this.text = '';
    this.count = 0;
  }

  get heldSize(): number {
    return this.messages.heldSize + this.text.length;
  }

  /** A single message is there, or something is wrong: nothing that comes is looked at. */
  private get isOver(): boolean {
    return this.error !== '' || (this.framing === null && this.count > 0);
  }

  push(chunk: Uint8Array): void {
    if (this.isOver) return;
    this.messages.push(chunk);
    while (!this.isOver) {
      const flag = this.messages.nextFlag;
      if (flag > 0) this.breakOff(`Unsupported gRPC frame flag: ${flag}`);
      const message = flag === 0 ? this.messages.next() : null;
      if (message === null) return;
      this.print(message);
    }
  }

  finish(): void {
    const { heldSize, nextLength } = this.messages;
    if (this.isOver) return;
    if (nextLength >= 0) {
      const got = heldSize - frameHeadBytes;
      this.breakOff(`Incomplete gRPC frame expected size: ${nextLength} actual size: ${got}`);
    } else if (heldSize > 0) this.breakOff('Incomplete gRPC frame header received');
    else if (this.framing === 'array') this.text += this.count === 0 ? '[]' : ']';
  }

  take(): Uint8Array | null {
    if (this.text === '') return null;
    const bytes = encoder.encode(this.text);
    this.text = '';
    return bytes;
  }

  private print(message: Uint8Array): void {
    const printed = this.printer.print(this.plan, message);
    if ('error' in printed) {
      this.error = printed.error;
      return;
    }
    switch (this.framing) {
      case null:
        this.text = printed.json;
        break;
      case 'array':
        this.text += (this.count === 0 ? '[' : ',') + printed.json;
        break;
      case 'lines':
        this.text += `${printed.json}\n`;
        break;
      case 'events':
        this.text += `data: ${printed.json}\n\n`;
    }
    this.count++;
  }

  private breakOff(error: string): void {
    this.error = error;
    this.isFramingError = true;
  }
}
