import { noBytes } from '../../core/bytes.ts';
import type { RequestHead, ResponseHead } from '../../core/head.ts';
import type { Headers } from '../../core/headers.ts';
import type { Compressor, CompressorLibrary } from '../compression/compressor-library.ts';
import { Verdict, type FilterFactory, type HttpFilter, type Stream } from '../filter.ts';
import type { CompressorRoute, CompressorSettings } from './compressor-settings.ts';
import { ChoiceReason, chooseEncoding, type Candidate, type EncodingChoice } from './encoding-choice.ts';
import { adaptEtag, addVary, hasToken, isEncodedOnTheWay } from './response-fields.ts';

/** `envoy.filters.http.compressor`. */
export class CompressorFilter implements FilterFactory {
  private readonly settings: CompressorSettings;

  constructor(settings: CompressorSettings) {
    this.settings = settings;
  }

  create(): HttpFilter {
    return new CompressedExchange(this.settings);
  }
}

/** What the compressor filters of one stream decide together. */
interface Contest {
  readonly candidates: Candidate[];
  /** Null: nobody has asked yet. */
  choice: EncodingChoice | null;
}

/** Filters of a chain know nothing of each other; here they meet. */
const contests = new WeakMap<Stream, Contest>();

function enter(stream: Stream, candidate: Candidate): Contest {
  let contest = contests.get(stream);
  if (contest === undefined) {
    contest = { candidates: [], choice: null };
    contests.set(stream, contest);
  }
  contest.candidates.push(candidate);
  return contest;
}

class CompressedExchange implements HttpFilter, Candidate {
  readonly isFirstChoice: boolean;
  private readonly settings: CompressorSettings;
  private contest: Contest | null;
  /** Of the request; null: it had none, or never came here. */
  private acceptEncoding: string | null;
  private route: CompressorRoute | null;
  /** The request asks for another protocol. */
  private isUpgrade: boolean;
  private requestBody: Compressor | null;
  private responseBody: Compressor | null;

  constructor(settings: CompressorSettings) {
    this.isFirstChoice = settings.data.isFirstChoice;
    this.settings = settings;
    this.contest = null;
    this.acceptEncoding = null;
    this.route = null;
    this.isUpgrade = false;
    this.requestBody = null;
    this.responseBody = null;
  }

  onRequestHead(stream: Stream, head: RequestHead, end: boolean): Verdict {
    const { settings } = this;
    const { headers } = head;
    this.route = (stream.perFilterConfig(settings.filterName) as CompressorRoute | undefined) ?? null;
    this.contest = enter(stream, this);
    this.isUpgrade = head.method === 'CONNECT' || headers.has('upgrade');
    this.acceptEncoding = headers.get('accept-encoding') ?? null;
    const removes = this.route?.data.removesAcceptEncoding ?? settings.data.response.removesAcceptEncoding;
    if (removes && this.compressesResponses) headers.remove('accept-encoding');
    const { request } = settings;
    const isFit =
      !end &&
      !this.isUpgrade &&
      request.isOn &&
      request.isLongEnough(headers) &&
      request.allowsType(headers) &&
      !headers.has('content-encoding') &&
      !isEncodedOnTheWay(headers);
    (isFit ? request.stats.compressed : request.stats.notCompressed).inc();
    if (!isFit) return Verdict.Continue;
    headers.remove('content-length');
    headers.set('content-encoding', this.encoding);
    this.requestBody = this.library.open();
    return Verdict.Continue;
  }

  onRequestData(stream: Stream, chunk: Uint8Array, end: boolean): Verdict {
    const { requestBody: body } = this;
    if (body === null) return Verdict.Continue;
    const bytes = end ? body.finish(chunk) : body.flush(chunk);
    const { stats } = this.settings.request;
    stats.uncompressedBytes.add(chunk.length);
    stats.compressedBytes.add(bytes.length);
    if (bytes.length > 0 || end) stream.injectRequestData(this, bytes, end);
    return Verdict.Take;
  }

  onRequestTrailers(stream: Stream): Verdict {
    if (this.requestBody === null) return Verdict.Continue;
    const bytes = this.requestBody.finish(noBytes);
    this.settings.request.stats.compressedBytes.add(bytes.length);
    if (bytes.length > 0) stream.injectRequestData(this, bytes, false);
    return Verdict.Continue;
  }

  onResponseHead(_stream: Stream, head: ResponseHead, end: boolean): Verdict {
    const { settings } = this;
    const { headers } = head;
    const { response, data } = settings;
    const isWanted = this.compressesResponses && response.isLongEnough(headers);
    // As Envoy: a filter that tells its status asks what the client takes last, another one first.
    const { tellsStatus } = data.response;
    let isChosen = !tellsStatus && isWanted && !end && this.isChosen(headers);
    const obstacle = isWanted ? this.obstacle(head) : '';
    if (tellsStatus) isChosen = !end && obstacle === null && this.isChosen(headers);
    if (tellsStatus && !end) this.tellStatus(headers, isWanted, isChosen, obstacle);
    const isCompressible = isWanted && obstacle === null;
    if (isChosen && isCompressible && !isEncodedOnTheWay(headers)) {
      adaptEtag(headers, data.response.weakensEtag);
      headers.remove('content-length');
      headers.set('content-encoding', this.encoding);
      response.stats.compressed.inc();
      this.responseBody = this.library.open();
    } else response.stats.notCompressed.inc();
    if (isCompressible) addVary(headers);
    return Verdict.Continue;
  }

  onResponseData(stream: Stream, chunk: Uint8Array, end: boolean): Verdict {
    const { responseBody: body } = this;
    if (body === null) return Verdict.Continue;
    const bytes = end ? body.finish(chunk) : body.flush(chunk);
    const { stats } = this.settings.response;
    stats.uncompressedBytes.add(chunk.length);
    stats.compressedBytes.add(bytes.length);
    if (bytes.length > 0 || end) stream.injectResponseData(this, bytes, end);
    return Verdict.Take;
  }

  onResponseTrailers(stream: Stream): Verdict {
    if (this.responseBody === null) return Verdict.Continue;
    const bytes = this.responseBody.finish(noBytes);
    this.settings.response.stats.compressedBytes.add(bytes.length);
    if (bytes.length > 0) stream.injectResponseData(this, bytes, false);
    return Verdict.Continue;
  }

  onComplete(): void {
    this.requestBody?.close();
    this.responseBody?.close();
  }

  private isTunnel({ status }: ResponseHead): boolean {
    return status === 101 || (this.isUpgrade && status < 300);
  }

  private get library(): CompressorLibrary {
    return this.route?.library ?? this.settings.library;
  }

  /** What responses get. */
  get encoding(): string {
    return this.library.encoding;
  }

  allowsContentType(type: string): boolean {
    return this.settings.response.hasType(type);
  }

  private get compressesResponses(): boolean {
    return this.route?.data.compressesResponses ?? this.settings.response.isOn;
  }

  /** Why a response cannot be compressed, in Envoy's words for clients; empty: there is no word; null: it can. */
  private obstacle(head: ResponseHead): string | null {
    const { headers, status } = head;
    // What follows a consent to another protocol is no body.
    if (this.isTunnel(head)) return '';
    const { response, choiceStats, data, uncompressibleCodes } = this.settings;
    if (!response.allowsType(headers)) return 'ContentTypeNotAllowed';
    if (hasToken(headers, 'cache-control', 'no-transform')) return '';
    if (data.response.disablesOnEtag && !data.response.weakensEtag && headers.has('etag')) {
      choiceStats.etag.inc();
      return 'EtagNotAllowed';
    }
    if (headers.has('content-encoding')) return '';
    return uncompressibleCodes.has(status) ? 'StatusCodeNotAllowed' : null;
  }

  private tellStatus(headers: Headers, isWanted: boolean, isChosen: boolean, obstacle: string | null): void {
    if (!this.compressesResponses) return;
    let status = obstacle;
    // As Envoy, which measures, and counts, once more.
    if (!isWanted) status = this.settings.response.isLongEnough(headers) ? '' : 'ContentLengthTooSmall';
    else if (isChosen && obstacle === null) status = `Compressed;OriginalLength=${headers.get('content-length') ?? ''}`;
    if (status !== '' && status !== null) headers.add('x-envoy-compression-status', `${this.encoding};${status}`);
  }

  /** Whether of all the compressors of the stream it is this one that the client likes best. */
  private isChosen(headers: Headers): boolean {
    const { choiceStats: stats } = this.settings;
    const { acceptEncoding, contest } = this;
    if (acceptEncoding === null || contest === null) {
      stats.noAcceptHeader.inc();
      return false;
    }
    const choice = (contest.choice ??= chooseEncoding(
      acceptEncoding,
      contest.candidates,
      headers.get('content-type') ?? '',
    ));
    const isIt = choice.encoding === this.encoding;
    switch (choice.reason) {
      case ChoiceReason.Compressor:
        (isIt ? stats.used : stats.overshadowed).inc();
        break;
      case ChoiceReason.Wildcard:
        stats.wildcard.inc();
        break;
      case ChoiceReason.Identity:
        stats.identity.inc();
        break;
      case ChoiceReason.NotValid:
        stats.notValid.inc();
    }
    return isIt;
  }
}
