import type { RequestHead } from '../../core/head.ts';
import type { CallOut } from '../call-outs.ts';
import type { Stream } from '../filter.ts';

/** What an authorization server is asked about. */
export interface Check {
  readonly stream: Stream;
  readonly head: RequestHead;
  /** Null: the body is not sent. */
  readonly body: CheckedBody | null;
  /** Of the route. */
  readonly contextExtensions: Readonly<Record<string, string>>;
}

export interface CheckedBody {
  readonly bytes: Uint8Array;
  /** There is more. */
  readonly isPartial: boolean;
  /** Bytes of any kind, not a text. */
  readonly isRaw: boolean;
}

export const AppendAction = { Append: 0, AddIfAbsent: 1, OverwriteOrAdd: 2, OverwriteIfExists: 3 } as const;
export type AppendAction = (typeof AppendAction)[keyof typeof AppendAction];

/** A field that an answer wants changed. Values are wire text. */
export interface FieldChange {
  /** Lower case. */
  readonly name: string;
  readonly value: string;
  readonly action: AppendAction;
  /** It was said by `append: true`: of a request, only a field that is there is extended. */
  readonly isAppend: boolean;
}

/** What an authorization server said, or that it could not be asked. */
export interface CheckAnswer {
  readonly verdict: 'ok' | 'denied' | 'error';
  /** 0: the filter's own. */
  readonly status: number;
  /** Wire text. */
  readonly body: string;
  /** Of the request that goes on. */
  readonly requestFields: readonly FieldChange[];
  readonly removedFields: readonly string[];
  readonly setParameters: readonly (readonly [string, string])[];
  readonly removedParameters: readonly string[];
  /** Of the answer to the client: the upstream's, or that of the denial. */
  readonly responseFields: readonly FieldChange[];
  /** Null: none. */
  readonly metadata: Readonly<Record<string, unknown>> | null;
}

export const nothingSaid: CheckAnswer = {
  verdict: 'error',
  status: 0,
  body: '',
  requestFields: [],
  removedFields: [],
  setParameters: [],
  removedParameters: [],
  responseFields: [],
  metadata: null,
};

/** Fields of an answer that is made of them: each name is its own, and may come several times. */
export function ownFields(pairs: readonly (readonly [string, string])[]): FieldChange[] {
  const names = new Set<string>();
  return pairs.map(([name, value]) => {
    const action = names.has(name) ? AppendAction.Append : AppendAction.OverwriteOrAdd;
    names.add(name);
    return { name, value, action, isAppend: false };
  });
}

/** An authorization server. */
export interface Authorizer {
  /** `done` hears once, perhaps before this returns; not after `cancel`. */
  check(check: Check, done: (answer: CheckAnswer) => void): CallOut;
}

/** Where the body lies whose first bytes are to be sent. */
export function checkedBody(chunks: readonly Uint8Array[], bytesMax: number, isRaw: boolean): CheckedBody {
  const size = chunks.reduce((sum, { length }) => sum + length, 0);
  const bytes = new Uint8Array(Math.min(size, bytesMax));
  let at = 0;
  for (const chunk of chunks) {
    if (at >= bytes.length) break;
    const part = chunk.subarray(0, bytes.length - at);
    bytes.set(part, at);
    at += part.length;
  }
  return { bytes, isPartial: size >= bytesMax && size > bytes.length, isRaw };
}
