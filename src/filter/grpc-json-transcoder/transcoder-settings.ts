import type { RequestHead } from '../../core/head.ts';
import { type Binding, bindPath, bindQuery } from './path/bindings.ts';
import { PathMatcher } from './path/path-matcher.ts';
import { parsePathTemplate } from './path/path-template.ts';
import { HttpBodyRequest } from './request/http-body-request.ts';
import { JsonRequest } from './request/json-request.ts';
import { MessageWriter } from './request/message-writer.ts';
import type { RequestTranslation } from './request/request-translation.ts';
import { type BoundText, Weave } from './request/weave.ts';
import { HttpBodyResponse } from './response/http-body-response.ts';
import { JsonResponse } from './response/json-response.ts';
import { MessagePrinter } from './response/message-printer.ts';
import type { ResponseTranslation } from './response/response-translation.ts';
import { bodyPathNames, resolveFieldPath } from './schema/field-path.ts';
import type { FieldPlan, MessagePlan } from './schema/message-plan.ts';
import { type MethodPlan, planMethod } from './schema/method-plan.ts';
import { Schema } from './schema/schema.ts';
import type { ActiveTranscoderData } from './transcoder-data.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const statusType = 'google.rpc.Status';

/** A method by one of its paths. */
interface Rule {
  readonly method: MethodPlan;
  readonly bodyPath: readonly string[];
  readonly writer: MessageWriter;
}

/** A request that is a call of a method. */
export interface Call {
  readonly method: MethodPlan;
  readonly request: RequestTranslation;
}

/** Why a request is none. */
export interface NoCall {
  readonly code: 'NOT_FOUND' | 'INVALID_ARGUMENT';
  readonly message: string;
}

/** The filter's configuration, or a route's, ready for use. */
export class TranscoderSettings {
  readonly data: ActiveTranscoderData;
  private readonly matcher: PathMatcher<Rule>;
  private readonly printer: MessagePrinter;
  private readonly status: MessagePlan | null;
  private readonly ignored: ReadonlySet<string>;

  constructor(data: ActiveTranscoderData) {
    const schema = new Schema(data.schema);
    this.data = data;
    this.matcher = new PathMatcher(data.matchesAnyVerb);
    this.printer = new MessagePrinter(schema, data.print);
    this.status = data.convertsStatus ? (schema.message(statusType) ?? null) : null;
    this.ignored = new Set(data.ignoredParameters);
    for (const entry of data.methods) {
      const method = planMethod(schema, entry);
      if (typeof method === 'string') throw new Error(method);
      const writer = new MessageWriter(schema, method.input, data);
      for (const { method: verb, path, body } of entry.rules) {
        const template = parsePathTemplate(path);
        if (template === null) throw new Error(`${path} is no path template`);
        this.matcher.register(verb, template, { method, bodyPath: bodyPathNames(body), writer });
      }
    }
  }

  /** The call that a request asks for. */
  call(head: RequestHead): Call | NoCall {
    const question = head.path.indexOf('?');
    const path = question < 0 ? head.path : head.path.slice(0, question);
    const match = this.matcher.match(head.method, path);
    if (match === null) return { code: 'NOT_FOUND', message: `Could not resolve ${path} to a method.` };
    const { target, segments } = match;
    const { method, bodyPath, writer } = target.value;
    const bindings: Binding[] = [];
    bindPath(target.variables, segments, this.data.unescape, bindings);
    if (question >= 0) bindQuery(head.path.slice(question + 1), this.ignored, this.data.plusIsSpace, bindings);
    const weave = bindings.length === 0 ? null : new Weave();
    const unknown = new Map<string, string[]>();
    for (const binding of bindings) {
      const fields = resolveFieldPath(method.input, binding.fieldPath);
      if (typeof fields !== 'string') {
        // What is inside the HttpBody is the body's own.
        if (method.requestBody === null || !leadsInto(method.requestBody, fields))
          weave!.bind(fields, boundText(binding.value));
      } else if (this.data.unknownParameters === 'capture') capture(unknown, binding);
      else if (this.data.unknownParameters !== 'ignore') return { code: 'INVALID_ARGUMENT', message: fields };
    }
    const request =
      method.requestBody === null
        ? new JsonRequest(writer, bodyPath, weave, method.isClientStream)
        : new HttpBodyRequest(writer, method, head.headers.get('content-type') ?? '', weave, unknown);
    return { method, request };
  }

  /** Of a response to a call. */
  response(method: MethodPlan): ResponseTranslation {
    if (method.responseBody !== null) return new HttpBodyResponse(method.responseBody, method.isServerStream);
    return new JsonResponse(this.printer, method.output, method.isServerStream ? this.data.framing : null);
  }

  /** A google.rpc.Status as JSON; null: it cannot be said, or is not to be. */
  statusJson(message: Uint8Array): Uint8Array | null {
    if (this.status === null) return null;
    const printed = this.printer.print(this.status, message);
    return 'error' in printed ? null : new TextEncoder().encode(printed.json);
  }
}

function leadsInto(outer: readonly FieldPlan[], path: readonly FieldPlan[]): boolean {
  return outer.every((field, i) => path[i] === field);
}

/** Values are bytes: text where they are UTF-8. */
function boundText(value: string): BoundText {
  // oxlint-disable-next-line no-control-regex
  if (!/[^\x00-\x7f]/.test(value)) return value;
  const bytes = new Uint8Array(value.length);
  for (let i = 0; i < value.length; i++) bytes[i] = value.charCodeAt(i);
  try {
    return utf8.decode(bytes);
  } catch {
    return null;
  }
}

function capture(unknown: Map<string, string[]>, { fieldPath, value }: Binding): void {
  const name = fieldPath.join('.');
  const values = unknown.get(name);
  const text = boundText(value) ?? value;
  if (values === undefined) unknown.set(name, [text]);
  else values.push(text);
}
