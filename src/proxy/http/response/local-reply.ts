import { fieldValue } from '../../../core/field-value.ts';
import { isGrpcRequest } from '../../../core/grpc-request.ts';
import { ResponseHead, type RequestHead } from '../../../core/head.ts';
import { Headers } from '../../../core/headers.ts';
import type { LocalReply } from '../../../filter/filter.ts';
import { encodeGrpcMessage } from '../../../filter/grpc/grpc-message.ts';
import type { AccessLogFilterData, FormatData } from '../../../observe/access-log/access-log-data.ts';
import { compileFormat, compileJsonFormat } from '../../../observe/format/format.ts';
import { grpcStatusOf } from '../../../observe/format/grpc-status.ts';
import type { Formatter } from '../../../observe/format/formatter.ts';
import type { Outcome } from '../../../observe/outcome.ts';
import { HeaderMutations } from '../../../route/mutate/header-mutations.ts';
import type { HcmData, LocalReplyMapperData } from '../hcm-data.ts';

/** An answer made here, ready for the response filters and the codec. */
export interface PreparedReply {
  readonly head: ResponseHead;
  /** Null: the head ends the stream (HEAD, empty body, gRPC trailers-only). */
  readonly body: Uint8Array | null;
}

/** Whether a mapper applies; what the access log's filters are built to. */
export interface ReplyFilter {
  matches(outcome: Outcome): boolean;
}

/**
 * Turns the connection manager's and the filters' local replies into messages, as local_reply_config says.
 * Order and results are Envoy's `Utility::prepareLocalReply` and `LocalReplyImpl::rewrite`.
 */
export class LocalReplies {
  private readonly mappers: readonly Mapper[];
  private readonly bodyFormat: BodyFormat | null;

  constructor(data: Pick<HcmData, 'localReply'>, buildFilter: (data: AccessLogFilterData) => ReplyFilter = noFilters) {
    const { mappers, bodyFormat } = data.localReply;
    this.mappers = mappers.map((mapper) => new Mapper(mapper, buildFilter(mapper.filter)));
    this.bodyFormat = bodyFormat === null ? null : new BodyFormat(bodyFormat);
  }

  /**
   * `reply.body` is wire text, a byte per character. `outcome` must have its flags and details already; its response
   * head and code are set here. `request` is null where none was decoded, `isGrpc` what it was when it came.
   */
  make(
    reply: LocalReply,
    request: RequestHead | null,
    outcome: Outcome,
    isGrpc = request !== null && isGrpcRequest(request),
  ): PreparedReply {
    const head = new ResponseHead(reply.status, new Headers());
    const { headers } = head;
    reply.headers?.forEach(([name, value], i, all) => {
      // A field of several values is one of these.
      if (all.findIndex((other) => other[0] === name) < i) headers.add(name, fieldValue(value));
      else headers.set(name, fieldValue(value));
    });
    outcome.responseCode = reply.status;
    outcome.responseHead = head;
    let body = reply.body;
    let format = this.bodyFormat;
    const typeBefore = headers.get('content-type');
    const isPlain = reply.asIs === true || (this.mappers.length === 0 && format === null);
    if (!isPlain) {
      const mapper = this.mappers.find((candidate) => candidate.filter.matches(outcome));
      if (mapper !== undefined) {
        body = mapper.body ?? body;
        mapper.apply(head, outcome);
        format = mapper.format ?? format;
      }
      if (format !== null) body = format.apply(body, outcome);
    }
    const isHead = request !== null && request.method === 'HEAD';
    if (reply.asIs !== true && isGrpc) return grpcReply(head, reply, body, isHead, format?.contentType ?? '', outcome);
    if (body === '') {
      headers.remove('content-length');
      headers.remove('content-type');
      return { head, body: null };
    }
    headers.set('content-length', String(body.length));
    const type = headers.get('content-type');
    // A format that changed the body decides its type too, unless a mapper has set one.
    if (type === undefined || (body !== reply.body && type === typeBefore))
      headers.set('content-type', format?.contentType ?? 'text/plain');
    return { head, body: isHead ? null : latin1Bytes(body) };
  }
}

/** One of local_reply_config's mappers. */
class Mapper {
  readonly filter: ReplyFilter;
  readonly body: string | null;
  readonly format: BodyFormat | null;
  private readonly status: number;
  private readonly headers: HeaderMutations;

  constructor(data: LocalReplyMapperData, filter: ReplyFilter) {
    this.filter = filter;
    this.body = data.body;
    this.format = data.bodyFormat === null ? null : new BodyFormat(data.bodyFormat);
    this.status = data.status;
    const mutations = { remove: [], add: data.headers };
    this.headers = new HeaderMutations(mutations, 'response', (format, omitEmptyValues) =>
      compileFormat(format, { omitEmptyValues }),
    );
  }

  apply(head: ResponseHead, outcome: Outcome): void {
    this.headers.apply(head.headers, outcome);
    if (this.status === 0) return;
    head.status = this.status;
    outcome.responseCode = this.status;
  }
}

class BodyFormat {
  readonly contentType: string;
  private readonly formatter: Formatter;

  constructor(data: FormatData) {
    this.formatter = data.kind === 'json' ? compileJsonFormat(data.template, data) : compileFormat(data.text, data);
    const usual = data.kind === 'json' ? 'application/json' : 'text/plain';
    this.contentType = data.contentType === '' ? usual : fieldValue(data.contentType);
  }

  /** `%LOCAL_REPLY_BODY%` has a value only here; access logs print none. */
  apply(body: string, outcome: Outcome): string {
    outcome.localReplyBody = body;
    const text = this.formatter.format(outcome);
    outcome.localReplyBody = '';
    return text;
  }
}

/** A gRPC answer without a body: 200, and the status in the head. */
function grpcReply(
  head: ResponseHead,
  reply: LocalReply,
  body: string,
  isHead: boolean,
  contentType: string,
  outcome: Outcome,
): PreparedReply {
  const { headers } = head;
  if ((headers.get('grpc-status') ?? '') === '') {
    const status = reply.grpcStatus ?? grpcStatusOf(outcome) ?? 2;
    headers.set('grpc-status', String(status));
  }
  head.status = 200;
  headers.set('content-type', 'application/grpc');
  const message = contentType === 'application/json' && body.endsWith('\n') ? body.slice(0, -1) : body;
  if (message !== '' && !isHead) headers.set('grpc-message', encodeGrpcMessage(message));
  headers.remove('content-length');
  return { head, body: null };
}

function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

function noFilters(): ReplyFilter {
  throw new Error('a local reply mapper needs a builder of access log filters');
}
