import type { Headers } from './headers.ts';

/** HTTP versions as integers, so that a comparison is a number's. */
export const HttpVersion = { Http10: 10, Http11: 11, Http2: 20 } as const;
export type HttpVersion = (typeof HttpVersion)[keyof typeof HttpVersion];

/** Start of a request. Pseudo-headers are fields, never entries of `headers`; `authority` is the only place of Host. */
export class RequestHead {
  method: string;
  /** `http` or `https`; empty until the connection manager has decided it. */
  scheme: string;
  /** Host header or authority of an absolute target; empty if there was none, or an empty one (`hasAuthority`). */
  authority: string;
  /** There was a Host or an authority, if only an empty one. */
  hasAuthority: boolean;
  /** Origin-form target with query, or `*`, or for CONNECT empty. */
  path: string;
  /** `:protocol` of an extended CONNECT (RFC 8441), else empty. */
  protocol: string;
  version: HttpVersion;
  readonly headers: Headers;

  constructor(method: string, authority: string, path: string, version: HttpVersion, headers: Headers) {
    this.method = method;
    this.scheme = '';
    this.authority = authority;
    this.hasAuthority = authority !== '';
    this.path = path;
    this.protocol = '';
    this.version = version;
    this.headers = headers;
  }

  /** Value of a field or pseudo-header (`:path`, `host` …): what a configured header name refers to. */
  get(name: string): string | undefined {
    if (name.charCodeAt(0) === 58 /* : */ || name === 'host') {
      const value = this.pseudo(name);
      return value === '' && !(this.hasAuthority && isAuthority(name)) ? undefined : value;
    }
    return this.headers.get(name);
  }

  /** As `get`, but every value of a repeated field. */
  getAll(name: string): string[] {
    if (name.charCodeAt(0) === 58 || name === 'host') {
      const value = this.pseudo(name);
      return value === '' ? [] : [value];
    }
    return this.headers.getAll(name);
  }

  private pseudo(name: string): string {
    switch (name) {
      case ':method':
        return this.method;
      case ':scheme':
        return this.scheme;
      case ':authority':
      case 'host':
        return this.authority;
      case ':path':
        return this.path;
      case ':protocol':
        return this.protocol;
      default:
        return '';
    }
  }
}

function isAuthority(name: string): boolean {
  return name === ':authority' || name === 'host';
}

/** Start of a response. */
export class ResponseHead {
  status: number;
  version: HttpVersion;
  readonly headers: Headers;

  constructor(status: number, headers: Headers, version: HttpVersion = HttpVersion.Http11) {
    this.status = status;
    this.version = version;
    this.headers = headers;
  }

  get(name: string): string | undefined {
    return name === ':status' ? String(this.status) : this.headers.get(name);
  }

  getAll(name: string): string[] {
    return name === ':status' ? [String(this.status)] : this.headers.getAll(name);
  }
}
