import type { RequestHead, ResponseHead } from '../../../core/head.ts';
import type { Headers } from '../../../core/headers.ts';
import type { ByteTarget, HpackEncoder } from '../../hpack/encoder.ts';
import { FieldRole, roleOf } from './field-rules.ts';

const statusTexts = Array.from({ length: 1000 }, (_, status) => String(status));

/** Writes the header block of a request. `protocol`: of an extended CONNECT, else empty. */
export function writeRequestHead(out: ByteTarget, hpack: HpackEncoder, head: RequestHead, protocol: string): void {
  const isConnect = head.method === 'CONNECT' && protocol === '';
  hpack.begin(out);
  hpack.field(out, ':method', protocol === '' ? head.method : 'CONNECT');
  if (head.authority !== '' || head.hasAuthority) hpack.field(out, ':authority', head.authority);
  if (!isConnect) {
    hpack.field(out, ':scheme', head.scheme === '' ? 'http' : head.scheme);
    hpack.field(out, ':path', head.path);
    if (protocol !== '') hpack.field(out, ':protocol', protocol);
  }
  writeFields(out, hpack, head.headers, protocol !== '');
}

/** Writes the header block of a response. `isTunnel`: it agrees to an extended CONNECT. */
export function writeResponseHead(out: ByteTarget, hpack: HpackEncoder, head: ResponseHead, isTunnel: boolean): void {
  hpack.begin(out);
  hpack.field(out, ':status', isTunnel ? '200' : statusTexts[head.status]);
  writeFields(out, hpack, head.headers, isTunnel);
}

export function writeTrailers(out: ByteTarget, hpack: HpackEncoder, trailers: Headers): void {
  hpack.begin(out);
  writeFields(out, hpack, trailers, false);
}

/** Fields, without those that have no place in HTTP/2 (RFC 9113 section 8.2.2). */
function writeFields(out: ByteTarget, hpack: HpackEncoder, headers: Headers, isUpgrade: boolean): void {
  const { names, values, neverIndexed } = headers;
  for (let i = 0; i < names.length; i++) {
    const name = names[i];
    const role = roleOf(name);
    if (role !== FieldRole.Plain && !mayBeSent(role, values[i], isUpgrade)) continue;
    if (neverIndexed !== null && neverIndexed.includes(name)) hpack.neverIndexed(out, name, values[i]);
    else hpack.field(out, name, values[i]);
  }
}

function mayBeSent(role: FieldRole, value: string, isUpgrade: boolean): boolean {
  switch (role) {
    case FieldRole.Connection:
    case FieldRole.Host:
      return false;
    case FieldRole.Te:
      return value.toLowerCase() === 'trailers';
    case FieldRole.ContentLength:
      // As Envoy: a request for an upgrade and its answer have no length, whatever HTTP/1 said.
      return !(isUpgrade && value === '0');
    default:
      return true;
  }
}
