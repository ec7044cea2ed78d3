import { WireType } from '../../wire/wire-type.ts';
import { WireWriter } from '../../wire/wire-writer.ts';
import { frameHeadBytes, writeFrameHead } from '../../grpc/grpc-frames.ts';
import { JsonObject } from '../json/json-value.ts';
import { type FieldPlan, typeUrlPrefix } from '../schema/message-plan.ts';
import { wrap } from './json-request.ts';
import type { MethodPlan } from '../schema/method-plan.ts';
import type { MessageWriter } from './message-writer.ts';
import type { RequestTranslation } from './request-translation.ts';
import type { Weave } from './weave.ts';

/** Of a streamed body: gRPC servers refuse messages of more than 4 MiB. As Envoy's `MaxStreamedPieceSize`. */
const pieceSizeMax = 1 << 20;

const contentTypeField = 1;
const dataField = 2;
const extensionsField = 3;
const unknownParametersUrl = `${typeUrlPrefix}envoy.extensions.filters.http.grpc_json_transcoder.v3.UnknownQueryParams`;

/** Any body, as the `data` of a google.api.HttpBody: whole, or streamed in pieces as it arrives. */
export class HttpBodyRequest implements RequestTranslation {
  error: string;
  /** It is streamed. */
  readonly isUnlimited: boolean;
  private readonly path: readonly FieldPlan[];
  private readonly contentType: string;
  private readonly unknown: ReadonlyMap<string, readonly string[]>;
  /** Fields of the path and the query, beside the body; in the first message. */
  private fields: Uint8Array;
  private chunks: Uint8Array[];
  private size: number;
  private isFirst: boolean;
  private frames: Uint8Array[];

  constructor(
    writer: MessageWriter,
    method: MethodPlan,
    contentType: string,
    weave: Weave | null,
    unknown: ReadonlyMap<string, readonly string[]>,
  ) {
    const path = method.requestBody!;
    const names = path.map(({ name }) => name);
    const fields = writer.write(wrap(new JsonObject(), names), weave);
    this.error = typeof fields === 'string' ? fields : '';
    this.path = path;
    this.isUnlimited = method.isClientStream;
    this.contentType = contentType;
    this.unknown = unknown;
    this.fields = typeof fields === 'string' ? new Uint8Array(0) : fields;
    this.chunks = [];
    this.size = 0;
    this.isFirst = true;
    this.frames = [];
  }

  get heldSize(): number {
    return this.size;
  }

  push(chunk: Uint8Array): void {
    if (!this.isUnlimited) {
      if (chunk.length > 0) this.chunks.push(chunk);
      this.size += chunk.length;
      return;
    }
    for (let from = 0; from < chunk.length || this.isFirst; from += pieceSizeMax) {
      const piece = chunk.subarray(from, from + pieceSizeMax);
      this.send([piece], piece.length);
    }
  }

  finish(): void {
    if (this.isUnlimited && !this.isFirst) return;
    this.send(this.chunks, this.size);
    this.chunks = [];
    this.size = 0;
  }

  take(): readonly Uint8Array[] {
    const { frames } = this;
    if (frames.length > 0) this.frames = [];
    return frames;
  }

  /** The data itself is not copied: the frame's head is what goes before it. */
  private send(chunks: readonly Uint8Array[], size: number): void {
    const envelope = this.envelope(size);
    const head = new Uint8Array(frameHeadBytes + this.fields.length + envelope.length);
    head.set(this.fields, frameHeadBytes);
    head.set(envelope, frameHeadBytes + this.fields.length);
    writeFrameHead(head, 0, head.length - frameHeadBytes + size);
    this.frames.push(head, ...chunks);
    this.fields = new Uint8Array(0);
    this.isFirst = false;
  }

  /** Everything of the HttpBody before its data, within the messages around it. */
  private envelope(size: number): Uint8Array {
    const body = new WireWriter();
    if (this.isFirst) {
      if (this.contentType !== '') body.tag(contentTypeField, WireType.LengthDelimited).string(this.contentType);
      if (this.unknown.size > 0) this.writeUnknown(body);
    }
    body.tag(dataField, WireType.LengthDelimited).uint32(size);
    let inside = body.finish();
    for (let i = this.path.length - 1; i >= 0; i--) {
      const outer = new WireWriter();
      outer.tag(this.path[i].number, WireType.LengthDelimited).uint32(inside.length + size);
      inside = outer.raw(inside).finish();
    }
    return inside;
  }

  /** `capture_unknown_query_parameters`: `UnknownQueryParams`, packed. */
  private writeUnknown(body: WireWriter): void {
    const parameters = new WireWriter();
    for (const [name, values] of this.unknown) {
      parameters.tag(1, WireType.LengthDelimited).begin();
      parameters.tag(1, WireType.LengthDelimited).string(name);
      parameters.tag(2, WireType.LengthDelimited).begin();
      for (const value of values) parameters.tag(1, WireType.LengthDelimited).string(value);
      parameters.end().end();
    }
    body.tag(extensionsField, WireType.LengthDelimited).begin();
    body.tag(1, WireType.LengthDelimited).string(unknownParametersUrl);
    body.tag(2, WireType.LengthDelimited).bytesWithLength(parameters.finish());
    body.end();
  }
}
