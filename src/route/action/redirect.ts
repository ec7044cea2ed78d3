import type { RequestHead } from '../../core/head.ts';
import type { Formatter } from '../../observe/format/formatter.ts';
import type { Outcome } from '../../observe/outcome.ts';
import { buildLiteralRewrite, replacePath, type LiteralRewrite } from '../mutate/path-rewrite.ts';
import type { PathMatchData, RedirectData } from '../route-data.ts';
import type { FormatCompiler, RedirectAction } from '../route.ts';
import { redirectHost } from './location.ts';

/** A configured redirect. Source: Envoy `Http::Utility::newUri`, answers compared with Envoy 1.39.3. */
export class Redirect implements RedirectAction {
  readonly kind: 'redirect';
  readonly status: number;
  private readonly scheme: string;
  private readonly host: string;
  /** With its colon, or empty. */
  private readonly port: string;
  private readonly path: string;
  private readonly format: Formatter | null;
  private readonly rewrite: LiteralRewrite | null;
  private readonly stripQuery: boolean;

  constructor(data: RedirectData, match: PathMatchData, compile: FormatCompiler) {
    const { path } = data;
    this.kind = 'redirect';
    this.status = data.status;
    this.scheme = data.scheme;
    this.host = data.host;
    this.port = data.port === 0 ? '' : `:${data.port}`;
    this.path = path?.kind === 'path' ? path.value : '';
    this.format = path?.kind === 'format' ? compile(path.format, true) : null;
    this.rewrite = path?.kind === 'prefix' || path?.kind === 'regex' ? buildLiteralRewrite(path, match) : null;
    this.stripQuery = data.stripQuery;
  }

  location(head: RequestHead, outcome?: Outcome): string {
    if (this.rewrite !== null) {
      const path = this.rewrite.rewrite(head.path);
      if (path !== '') replacePath(head, path, true);
    }
    const scheme = this.scheme === '' ? head.scheme : this.scheme;
    const host = this.host === '' ? redirectHost(head, scheme, this.port) : this.host;
    return `${scheme}://${host}${this.port}${this.target(head, outcome)}`;
  }

  private target(head: RequestHead, outcome: Outcome | undefined): string {
    const configured = this.format === null || outcome === undefined ? this.path : this.format.format(outcome);
    // A query of its own takes the place of the request's, and stays whatever `strip_query` says.
    if (configured.includes('?')) return rooted(configured);
    const query = head.path.indexOf('?');
    const path = configured === '' ? (query < 0 ? head.path : head.path.slice(0, query)) : configured;
    return rooted(query < 0 || this.stripQuery ? path : path + head.path.slice(query));
  }
}

function rooted(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}

/** What `require_tls` answers. */
export class TlsRedirect implements RedirectAction {
  readonly kind: 'redirect';
  readonly status: number;

  constructor() {
    this.kind = 'redirect';
    this.status = 301;
  }

  location(head: RequestHead): string {
    return `https://${head.authority}${head.path}`;
  }
}
