import { lentBytes } from '../../../core/lent-bytes.ts';
import { frameHeadBytes, writeFrameHead } from '../../grpc/grpc-frames.ts';
import { JsonReader } from '../json/json-reader.ts';
import { JsonObject, type JsonValue } from '../json/json-value.ts';
import { Utf8Text } from '../json/utf8-text.ts';
import type { MessageWriter } from './message-writer.ts';
import type { RequestTranslation } from './request-translation.ts';
import type { Weave } from './weave.ts';

const emptyPrefix = new Uint8Array(frameHeadBytes);

/** A JSON body: one message, or an array of them (client streaming), each sent on as soon as it is complete. */
export class JsonRequest implements RequestTranslation {
  error: string;
  heldSize: number;
  readonly isUnlimited: boolean;
  private readonly writer: MessageWriter;
  private readonly bodyPath: readonly string[];
  private readonly reader: JsonReader;
  private readonly text: Utf8Text;
  /** For the first message; then null. */
  private weave: Weave | null;
  private hasBody: boolean;
  private frames: Uint8Array[];

  /** `bodyPath`: names of the field that the body becomes; empty: it is the message itself. */
  constructor(writer: MessageWriter, bodyPath: readonly string[], weave: Weave | null, isStream: boolean) {
    this.error = '';
    this.heldSize = 0;
    this.isUnlimited = false;
    this.writer = writer;
    this.bodyPath = bodyPath;
    this.reader = new JsonReader(isStream);
    this.text = new Utf8Text();
    this.weave = weave;
    this.hasBody = false;
    this.frames = [];
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0 || this.error !== '') return;
    this.hasBody = true;
    this.heldSize += chunk.length;
    this.reader.push(this.text.decode(chunk));
    lentBytes.settle(chunk, chunk.length);
    this.translate();
  }

  finish(): void {
    if (this.error !== '') return;
    if (this.hasBody) {
      this.text.finish();
      if (this.text.broken === null) this.reader.finish();
    } else this.reader.push('{}');
    this.translate();
  }

  take(): readonly Uint8Array[] {
    const { frames } = this;
    if (frames.length > 0) this.frames = [];
    return frames;
  }

  private translate(): void {
    const { reader } = this;
    if (this.text.broken !== null) reader.breakOff(this.text.broken);
    this.error = reader.error || reader.misfit;
    for (const value of reader.values) {
      if (this.error !== '') break;
      const frame = this.writer.write(wrap(value, this.bodyPath), this.weave, emptyPrefix);
      this.weave = null;
      if (typeof frame === 'string') {
        this.error = frame;
        break;
      }
      writeFrameHead(frame, 0, frame.length - frameHeadBytes);
      this.frames.push(frame);
    }
    if (reader.values.length > 0) this.heldSize = reader.heldSize;
    reader.values.length = 0;
    // Nothing is sent on of what came together with a mistake.
    if (this.error !== '') this.frames = [];
  }
}

/** The body as the field that it is for. */
export function wrap(value: JsonValue, path: readonly string[]): JsonValue {
  let wrapped = value;
  for (let i = path.length - 1; i >= 0; i--) wrapped = JsonObject.of(path[i], wrapped);
  return wrapped;
}
