import type { CodecHost, StreamAcceptor } from '../../../codec/codec.ts';
import type { H1ServerOptions } from '../../../codec/h1/options.ts';
import { H1ServerCodec } from '../../../codec/h1/server.ts';
import type { H2ServerOptions } from '../../../codec/h2/options.ts';
import { H2ServerCodec } from '../../../codec/h2/server.ts';
import { Failure, ResponseFlag, RetryKind, Side } from '../../../core/failure.ts';
import { lentBytes } from '../../../core/lent-bytes.ts';
import type { LoadShedPoint } from '../../../core/overload-view.ts';

const hint =
  'The overload manager sheds load: see the pressure of its resources (overload.*), and what its load shed points say.';

/** What an HTTP/1 client sends is not read any more; details and flag are Envoy's. */
export const DispatchAborted = new Failure({
  name: 'dispatch-aborted',
  flag: ResponseFlag.DownstreamProtocolError,
  side: Side.Downstream,
  status: 500,
  retry: RetryKind.Never,
  reason: 'overload',
  hint,
});

/** A client has been told to go, as far as its protocol can say so, and goes at once. */
export const SentAway = new Failure({
  name: 'sent-away',
  flag: ResponseFlag.OverloadManagerTerminated,
  side: Side.Downstream,
  status: 0,
  retry: RetryKind.Never,
  reason: 'overload',
  hint,
});

/** Load shed points that are asked with every chunk; null: not configured. */
export interface DispatchPoints {
  readonly abortsHttp1: LoadShedPoint | null;
  readonly goesAway: LoadShedPoint | null;
  readonly goesAwayAndCloses: LoadShedPoint | null;
}

/** HTTP/1 as long as the process is not overloaded. Envoy asks the points of HTTP/2 here too. */
export class SheddingH1Codec extends H1ServerCodec {
  private readonly points: DispatchPoints;

  constructor(host: CodecHost, acceptor: StreamAcceptor, options: H1ServerOptions, points: DispatchPoints) {
    super(host, acceptor, options);
    this.points = points;
  }

  override receive(chunk: Uint8Array): void {
    const { abortsHttp1, goesAway, goesAwayAndCloses } = this.points;
    if (this.isFinished) return;
    if (goesAwayAndCloses !== null && goesAwayAndCloses.shedsLoad()) {
      lentBytes.settle(chunk, chunk.length);
      this.leave(SentAway);
      return;
    }
    if (abortsHttp1 !== null && abortsHttp1.shedsLoad()) {
      lentBytes.settle(chunk, chunk.length);
      this.abort(DispatchAborted);
      return;
    }
    // The next answer asks the client to go.
    if (goesAway !== null && goesAway.shedsLoad()) this.drain();
    super.receive(chunk);
  }
}

/** HTTP/2 as long as the process is not overloaded. */
export class SheddingH2Codec extends H2ServerCodec {
  private readonly points: DispatchPoints;

  constructor(host: CodecHost, acceptor: StreamAcceptor, options: H2ServerOptions, points: DispatchPoints) {
    super(host, acceptor, options);
    this.points = points;
  }

  override receive(chunk: Uint8Array, now: number): void {
    const { goesAway, goesAwayAndCloses } = this.points;
    if (this.isFinished) return;
    if (goesAwayAndCloses !== null && goesAwayAndCloses.shedsLoad()) {
      lentBytes.settle(chunk, chunk.length);
      this.leave(SentAway, now);
      return;
    }
    if (goesAway !== null && goesAway.shedsLoad()) this.drain(now);
    super.receive(chunk, now);
  }
}
