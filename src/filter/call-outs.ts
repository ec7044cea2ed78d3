import type { RequestHead, ResponseHead } from '../core/head.ts';

/** What a filter asked another server. */
export interface CallOut {
  /** Nobody hears of it any more. */
  cancel(): void;
}

/** A whole answer. */
export interface HttpAnswer {
  readonly head: ResponseHead;
  readonly body: Uint8Array;
}

export interface HttpCallOptions {
  /** Milliseconds until the answer must be whole; 0: no limit. */
  readonly timeoutMs: number;
  /** Bytes of the answer's body: more than that is a failure. */
  readonly bodyBytesMax: number;
}

/** Who asked, and hears exactly one of both, perhaps before the asking returns; nothing after `cancel`. */
export interface HttpCallUser {
  onAnswer(answer: HttpAnswer): void;
  /** `reason`: for logs. */
  onFailure(reason: string): void;
}

/** Calls of filters to clusters of the configuration, over their pools, limits and stats. */
export interface CallOuts {
  /** `head`: the user's, which gets what is sent beside it. Null body: none. */
  http(
    cluster: string,
    head: RequestHead,
    body: Uint8Array | null,
    options: HttpCallOptions,
    user: HttpCallUser,
  ): CallOut;
}
