import type { Failure } from '../../../core/failure.ts';
import { Headers } from '../../../core/headers.ts';
import { parseContentLength } from '../../h1/decoder.ts';
import type { FieldSink } from '../../hpack/decoder.ts';
import { H2Counter, type H2Counters } from '../counters.ts';
import { HeadersTooLarge, InvalidHeader, UnexpectedUnderscore } from '../failures.ts';
import { UnderscoreAction } from '../options.ts';
import { FieldRole, isFieldName, isFieldValue, roleOf } from './field-rules.ts';

const COLON = 58;

/**
 * Takes the fields of a header block as HPACK reads them, and judges them one by one (RFC 9113 sections 8.2 and 8.3).
 * One object serves all messages of a connection's direction; its two children know their pseudo-headers.
 */
export abstract class MessageFields implements FieldSink {
  headers: Headers;
  /** The first fault; the rest of the block is read without being looked at, for the sake of HPACK's table. */
  failure: Failure | null;
  /** -1: not announced. */
  contentLength: number;
  /** A field that is no pseudo-header has come, or there may be no pseudo-headers at all. */
  protected isPastPseudo: boolean;
  /** Names and values may still have so many; unlike in RFC 9113, and as in Envoy, nothing is added per field. */
  private bytesLeft: number;
  protected readonly bytesMax: number;
  /** What came as cookie, crumbs joined. */
  private cookie: string | null;
  protected readonly underscores: UnderscoreAction;
  protected readonly counters: H2Counters;
  isTrailers: boolean;
  /** Whether the same fields would be taken the same way: nothing was counted, and none is a secret. */
  private isPlain: boolean;

  constructor(bytesMax: number, underscores: UnderscoreAction, counters: H2Counters) {
    this.headers = nothing;
    this.failure = null;
    this.contentLength = -1;
    this.isPastPseudo = false;
    this.bytesLeft = bytesMax;
    this.bytesMax = bytesMax;
    this.cookie = null;
    this.underscores = underscores;
    this.counters = counters;
    this.isTrailers = false;
    this.isPlain = true;
  }

  /** Of fields that were read to their end: the same block may be answered with a copy of them. */
  get isRepeatable(): boolean {
    return this.isPlain && this.failure === null;
  }

  /** A block begins. */
  begin(isTrailers: boolean): void {
    this.headers = new Headers();
    this.failure = null;
    this.contentLength = -1;
    this.bytesLeft = this.bytesMax;
    this.isPastPseudo = isTrailers;
    this.isTrailers = isTrailers;
    this.isPlain = true;
    this.cookie = null;
  }

  /** Another of its kind that holds what came since `begin`. */
  abstract copy(): MessageFields;

  /** Instead of reading the block: it says the same as did the one that `known`, of the same kind, has read. */
  assume(known: MessageFields): void {
    this.headers = known.headers.clone();
    this.contentLength = known.contentLength;
    this.isPastPseudo = known.isPastPseudo;
    this.isTrailers = known.isTrailers;
    this.cookie = known.cookie;
  }

  /** The block was read to its end. Its fields; nothing holds on to them here. */
  end(): Headers {
    const { headers } = this;
    // As Envoy: joined, behind everything else.
    if (this.cookie !== null) headers.add('cookie', this.cookie);
    this.headers = nothing;
    this.cookie = null;
    return headers;
  }

  onField(name: string, value: string, isNeverIndexed: boolean, isClean: boolean): void {
    if (this.failure !== null) return;
    this.bytesLeft -= name.length + value.length;
    if (this.bytesLeft < 0) {
      this.failure = HeadersTooLarge;
      return;
    }
    if (name.charCodeAt(0) === COLON) {
      if (!this.isPastPseudo && (isClean || isFieldValue(value))) this.pseudo(name, value);
      else this.failure = InvalidHeader.with('a pseudo-header that is invalid, or has no place here');
      return;
    }
    this.isPastPseudo = true;
    if (!isClean && !(isFieldName(name) && isFieldValue(value))) {
      this.failure = InvalidHeader;
      return;
    }
    if (isNeverIndexed) {
      (this.headers.neverIndexed ??= []).push(name);
      this.isPlain = false;
    }
    const role = roleOf(name);
    if (role !== FieldRole.Plain && !this.steer(role, name, value)) return;
    if (this.underscores !== UnderscoreAction.Allow && name.includes('_') && !this.judgeUnderscore()) return;
    this.headers.add(name, value);
  }

  protected abstract pseudo(name: string, value: string): void;
  /** A Host field. True: it stays a field. */
  protected abstract host(value: string): boolean;

  /** Fields with a meaning of their own. True: the field is kept. */
  private steer(role: FieldRole, name: string, value: string): boolean {
    switch (role) {
      case FieldRole.Connection:
        this.failure = InvalidHeader.with(`${name} in HTTP/2`);
        return false;
      case FieldRole.Te:
        if (value === 'trailers' || value.toLowerCase() === 'trailers') return true;
        this.failure = InvalidHeader.with('te other than trailers');
        return false;
      case FieldRole.Host:
        return this.isTrailers || this.host(value);
      case FieldRole.Cookie:
        this.cookie = this.cookie === null ? value : `${this.cookie}; ${value}`;
        return false;
      case FieldRole.ContentLength:
        return this.isTrailers || this.takeContentLength(value);
      default:
        return true;
    }
  }

  private takeContentLength(value: string): boolean {
    const length = parseContentLength(value);
    if (length < 0 || this.contentLength >= 0) {
      this.failure = InvalidHeader.with('invalid content-length');
      return false;
    }
    this.contentLength = length;
    return true;
  }

  /** True: the field is kept. */
  private judgeUnderscore(): boolean {
    this.isPlain = false;
    if (this.underscores === UnderscoreAction.Reject) {
      this.counters.count(H2Counter.RequestsRejectedWithUnderscoresInHeaders);
      this.failure = UnexpectedUnderscore;
    } else this.counters.count(H2Counter.DroppedHeadersWithUnderscores);
    return false;
  }
}

const nothing = new Headers();
