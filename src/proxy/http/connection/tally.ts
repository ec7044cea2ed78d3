import type { Connection } from '../../../core/connection.ts';
import type { Failure } from '../../../core/failure.ts';
import {
  ClosedByPeer,
  DelayedCloseTimeout,
  DownstreamRemoteClose,
  DownstreamTransportFailure,
} from '../../../core/failures.ts';
import { HttpVersion } from '../../../core/head.ts';
import type { Outcome } from '../../../observe/outcome.ts';
import type { HcmStats } from '../stats/hcm-stats.ts';

/** What one downstream connection counts, from its beginning to its end. */
export class ConnectionTally {
  /** What the client speaks; null: it has not said enough yet. */
  version: HttpVersion | null;
  /** Why the handshake failed; empty: it did not. */
  transportFailureReason: string;
  private readonly stats: HcmStats;
  private readonly connection: Connection;
  private readonly startMs: number;
  private readonly isSecure: boolean;
  /** Past `http1_safe_max_connection_duration`. */
  private isPastDuration: boolean;
  private countedRead: number;
  private countedWritten: number;

  constructor(stats: HcmStats, connection: Connection, now: number) {
    this.version = null;
    this.transportFailureReason = '';
    this.stats = stats;
    this.connection = connection;
    this.startMs = now;
    this.isSecure = connection.peer.transportProtocol === 'tls';
    this.isPastDuration = false;
    this.countedRead = 0;
    this.countedWritten = 0;
    stats.cxTotal.inc();
    stats.cxActive.inc();
    if (!this.isSecure) return;
    stats.cxSslTotal.inc();
    stats.cxSslActive.inc();
  }

  /** The first bytes have come: from now on it counts as what it speaks. */
  speaks(version: HttpVersion): void {
    const { stats } = this;
    this.version = version;
    const isHttp2 = version === HttpVersion.Http2;
    (isHttp2 ? stats.cxHttp2Total : stats.cxHttp1Total).inc();
    (isHttp2 ? stats.cxHttp2Active : stats.cxHttp1Active).inc();
  }

  drainsSoftly(): void {
    this.isPastDuration = true;
    this.stats.cxHttp1SoftDrain.inc();
  }

  /** `hadStreams`: some were open, or were when the client left. */
  ends(failure: Failure, hadStreams: boolean): void {
    const { stats } = this;
    if (failure.kind === DownstreamTransportFailure.kind) this.transportFailureReason = failure.detail;
    if (failure === DelayedCloseTimeout) stats.count('downstream_cx_delayed_close_timeout');
    const isRemote = failure.kind === ClosedByPeer.kind || failure.kind === DownstreamRemoteClose.kind;
    const side = isRemote ? 'remote' : 'local';
    stats.count(`downstream_cx_destroy_${side}`);
    if (!hadStreams) return;
    stats.count('downstream_cx_destroy_active_rq');
    stats.count(`downstream_cx_destroy_${side}_active_rq`);
  }

  /** Nothing happens on it any more. */
  ended(now: number): void {
    const { stats, version } = this;
    stats.cxActive.dec();
    if (this.isSecure) stats.cxSslActive.dec();
    if (version !== null) (version === HttpVersion.Http2 ? stats.cxHttp2Active : stats.cxHttp1Active).dec();
    if (this.isPastDuration) stats.cxHttp1SoftDrain.dec();
    stats.cxDestroy.inc();
    stats.cxLengthMs.record(now - this.startMs);
    this.countBytes();
  }

  countBytes(): void {
    const { stats } = this;
    const { bytesRead, bytesWritten } = this.connection;
    stats.cxRxBytes.add(bytesRead - this.countedRead);
    stats.cxTxBytes.add(bytesWritten - this.countedWritten);
    this.countedRead = bytesRead;
    this.countedWritten = bytesWritten;
  }

  /** What has passed since they were counted: over HTTP/1 one stream's, for there is one at a time. */
  describeBytes(outcome: Outcome): void {
    const { bytesRead, bytesWritten } = this.connection;
    outcome.wireBytesReceived = bytesRead - this.countedRead;
    outcome.wireBytesSent = bytesWritten - this.countedWritten;
  }
}
