import type { Failure } from '../../../core/failure.ts';
import { HttpVersion, ResponseHead } from '../../../core/head.ts';
import { InvalidHeader, InvalidMessaging } from '../failures.ts';
import { MessageFields } from './message-fields.ts';

/** Reads responses (RFC 9113 section 8.3.2). */
export class ResponseFields extends MessageFields {
  private status = 0;

  override begin(isTrailers: boolean): void {
    super.begin(isTrailers);
    this.status = 0;
  }

  override copy(): ResponseFields {
    const copy = new ResponseFields(this.bytesMax, this.underscores, this.counters);
    copy.assume(this);
    return copy;
  }

  override assume(known: ResponseFields): void {
    super.assume(known);
    this.status = known.status;
  }

  /** The head; null: `failure` says why not. */
  take(): ResponseHead | null {
    this.failure ??= this.judge();
    const headers = this.end();
    return this.failure === null ? new ResponseHead(this.status, headers, HttpVersion.Http2) : null;
  }

  protected override pseudo(name: string, value: string): void {
    const status = name === ':status' && this.status === 0 ? parseStatus(value) : 0;
    // RFC 9113 section 8.6: there is no upgrade of a connection.
    if (status === 0 || status === 101) this.failure = InvalidHeader;
    else this.status = status;
  }

  protected override host(): boolean {
    return true;
  }

  private judge(): Failure | null {
    const { status, contentLength } = this;
    if (status === 0) return InvalidMessaging.with('no :status');
    if ((status < 200 || status === 204) && contentLength > 0)
      return InvalidHeader.with('content-length without a body');
    return null;
  }
}

/** Three digits, of which the first is not 0; 0: not a status. */
function parseStatus(value: string): number {
  if (value.length !== 3) return 0;
  const hundreds = value.charCodeAt(0) - 48;
  const tens = value.charCodeAt(1) - 48;
  const ones = value.charCodeAt(2) - 48;
  if (hundreds < 1 || hundreds > 9 || tens < 0 || tens > 9 || ones < 0 || ones > 9) return 0;
  return hundreds * 100 + tens * 10 + ones;
}
