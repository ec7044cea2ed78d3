import { isGrpcRequest } from '../../../core/grpc-request.ts';
import type { RequestHead } from '../../../core/head.ts';
import type { Peer } from '../../../core/peer.ts';
import type { Counter, StatsScope } from '../../../observe/stats/stats.ts';
import type { HostOptionsData, PathOptionsData } from '../hcm-data.ts';
import { stripHostPort, stripTrailingHostDot } from './host.ts';
import { mergeSlashes, normalizePath, unescapeSlashes } from './path.ts';
import { badPath, missingPath, nonRelativePath, redirectTo, type Reject } from './reject.ts';

/** Checks and normalises what a request is for: its path, then its host. */
export class TargetPreparation {
  private readonly path: PathOptionsData;
  private readonly host: HostOptionsData;
  private readonly nonRelative: Counter;
  private readonly failedNormalization: Counter;
  private readonly redirected: Counter;

  constructor(path: PathOptionsData, host: HostOptionsData, stats: StatsScope) {
    this.path = path;
    this.host = host;
    this.nonRelative = stats.counter('downstream_rq_non_relative_path');
    this.failedNormalization = stats.counter('downstream_rq_failed_path_normalization');
    this.redirected = stats.counter('downstream_rq_redirected_with_normalized_path');
  }

  prepare(head: RequestHead, peer: Peer): Reject | null {
    const { path } = head;
    if (path === '') {
      if (head.method !== 'CONNECT') return missingPath;
    } else if (path.charCodeAt(0) !== 47 /* / */) {
      this.nonRelative.inc();
      return nonRelativePath;
    } else {
      const refusal = this.preparePath(head, path);
      if (refusal !== null) return refusal;
    }
    if (this.host.stripTrailingDot) head.authority = stripTrailingHostDot(head.authority);
    if (this.host.stripPort === 'any') head.authority = stripHostPort(head.authority, -1);
    else if (this.host.stripPort === 'matching') head.authority = stripHostPort(head.authority, peer.local.port);
    return null;
  }

  private preparePath(head: RequestHead, original: string): Reject | null {
    if (original.includes('#')) return this.refuse();
    const options = this.path;
    let path = original;
    let redirects = false;
    if (options.escapedSlashes !== 'KEEP_UNCHANGED') {
      path = unescapeSlashes(original);
      if (path !== original) {
        if (options.escapedSlashes === 'REJECT_REQUEST') {
          // The log shows what was seen behind the escapes, as Envoy's does.
          head.path = path;
          return this.refuse();
        }
        redirects = options.escapedSlashes === 'UNESCAPE_AND_REDIRECT';
      }
    }
    if (options.normalize) {
      const normalized = normalizePath(path);
      if (normalized === null) return this.refuse();
      path = normalized;
    }
    if (options.mergeSlashes) path = mergeSlashes(path);
    head.path = path;
    return redirects ? this.redirect(head) : null;
  }

  private refuse(): Reject {
    this.failedNormalization.inc();
    return badPath;
  }

  /** gRPC clients follow no redirects, so they are refused. */
  private redirect(head: RequestHead): Reject {
    if (isGrpcRequest(head)) return this.refuse();
    this.redirected.inc();
    return redirectTo(head.path);
  }
}
