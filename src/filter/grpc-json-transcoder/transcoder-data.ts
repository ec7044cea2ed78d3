import type { Unescape } from './path/percent.ts';
import type { PrintOptions } from './response/message-printer.ts';
import type { SchemaData } from './schema/schema-data.ts';
import type { StreamFraming } from './response/response-translation.ts';

/** A google.api.http annotation, or one of its additional bindings. */
export interface HttpRuleData {
  /** `GET`, …; of a custom pattern its kind; `*`: every method. */
  readonly method: string;
  readonly path: string;
  /** Where the body goes: `*` all, empty as `*`, else a path of fields. */
  readonly body: string;
}

export interface MethodData {
  readonly service: string;
  readonly name: string;
  /** Full names of its messages. */
  readonly input: string;
  readonly output: string;
  readonly isClientStream: boolean;
  readonly isServerStream: boolean;
  readonly rules: readonly HttpRuleData[];
  /** Of the first rule: what the request's and the response's google.api.HttpBody is looked for in. */
  readonly body: string;
  readonly responseBody: string;
}

/** `envoy.filters.http.grpc_json_transcoder`, of the filter or of a route. */
export interface TranscoderData {
  /** Null: it names no services, which turns it off. */
  readonly active: ActiveTranscoderData | null;
}

export interface ActiveTranscoderData {
  readonly schema: SchemaData;
  readonly methods: readonly MethodData[];
  readonly print: PrintOptions;
  readonly framing: StreamFraming;
  readonly keepsRoute: boolean;
  readonly ignoredParameters: readonly string[];
  readonly unknownParameters: 'reject' | 'pass' | 'ignore' | 'capture';
  readonly rejectsUnknownMethods: boolean;
  readonly rejectsCollisions: boolean;
  readonly convertsStatus: boolean;
  readonly unescape: Unescape;
  readonly plusIsSpace: boolean;
  readonly matchesAnyVerb: boolean;
  readonly ignoresEnumCase: boolean;
  /** Bytes; -1: the connection's buffer limit. */
  readonly requestBodyMax: number;
  readonly responseBodyMax: number;
}
