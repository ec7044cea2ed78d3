import { WireType } from '../../wire/wire-type.ts';
import { noBytes } from '../../../core/bytes.ts';
import { wireBytes } from '../../../route/wire-text.ts';
import type { FieldPlan } from '../schema/message-plan.ts';
import { MessageCutter } from './message-cutter.ts';
import type { ResponseTranslation } from './response-translation.ts';
import { WireCursor, WireError } from '../../wire/wire-cursor.ts';

const contentTypeTag = (1 << 3) | WireType.LengthDelimited;
const dataTag = (2 << 3) | WireType.LengthDelimited;

/** google.api.HttpBody messages: their data as it is, with the content type of the first. */
export class HttpBodyResponse implements ResponseTranslation {
  error: string;
  isFramingError: boolean;
  /** As wire text; null: no message has come that is not empty. */
  contentType: string | null;
  /** A message has come, if only an empty one. */
  hasBegun: boolean;
  private readonly path: readonly FieldPlan[];
  private readonly isStream: boolean;
  private readonly messages: MessageCutter;
  private data: Uint8Array;
  private messageType: string;

  /** `path`: where in the message the HttpBody is. */
  constructor(path: readonly FieldPlan[], isStream: boolean) {
    this.error = '';
    this.isFramingError = false;
    this.contentType = null;
    this.hasBegun = false;
    this.path = path;
    this.isStream = isStream;
    this.messages = new MessageCutter();
    this.data = noBytes;
    this.messageType = '';
  }

  get heldSize(): number {
    return this.messages.heldSize + this.data.length;
  }

  push(chunk: Uint8Array): void {
    if (this.error !== '' || (this.hasBegun && !this.isStream)) return;
    this.messages.push(chunk);
    for (;;) {
      const flag = this.messages.nextFlag;
      if (flag > 0) {
        this.error = `Unsupported gRPC frame flag: ${flag}`;
        this.isFramingError = true;
      }
      const message = flag === 0 ? this.messages.next() : null;
      if (message === null) return;
      this.hasBegun = true;
      if (message.length > 0) this.read(message);
      if (!this.isStream || this.error !== '') return;
    }
  }

  finish(): void {}

  take(): Uint8Array | null {
    const { data } = this;
    this.data = noBytes;
    return data.length === 0 ? null : data;
  }

  private read(message: Uint8Array): void {
    this.messageType = '';
    try {
      this.readWithin(new WireCursor(message), 0);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.error = error.message;
      return;
    }
    this.contentType ??= this.messageType;
  }

  /** The HttpBody is `path.length - depth` messages deep in what the cursor reads. */
  private readWithin(cursor: WireCursor, depth: number): void {
    const isBody = depth === this.path.length;
    const wanted = isBody ? 0 : ((this.path[depth].number << 3) | WireType.LengthDelimited) >>> 0;
    for (let tag = cursor.tag(); tag !== 0; tag = cursor.tag()) {
      if (isBody ? tag !== contentTypeTag && tag !== dataTag : tag !== wanted) {
        cursor.skip(tag >>> 3, (tag & 7) as WireType);
        continue;
      }
      const { end } = cursor;
      const valueEnd = cursor.lengthEnd();
      const value = cursor.bytes.subarray(cursor.at, valueEnd);
      if (!isBody) {
        cursor.end = valueEnd;
        this.readWithin(cursor, depth + 1);
        cursor.end = end;
      } else if (tag === contentTypeTag) this.messageType = wireBytes(value);
      else this.data = this.data.length === 0 ? value : joined(this.data, value);
      cursor.at = valueEnd;
    }
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}
