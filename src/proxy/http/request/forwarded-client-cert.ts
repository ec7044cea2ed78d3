import type { Headers } from '../../../core/headers.ts';
import type { CertificateFacts, TlsFacts } from '../../../core/tls-facts.ts';
import { quoteJson } from '../../../observe/format/byte-string.ts';
import { pemForHeaders } from '../../../observe/format/tls-commands.ts';
import type { ClientCertData } from '../hcm-data.ts';

export const clientCertHeader = 'x-forwarded-client-cert';

/**
 * What x-forwarded-client-cert says of a client that has presented a certificate. Order, quotes and separators are
 * Envoy's: `By` and `Hash` always, the rest as asked for; nothing is escaped beyond what RFC 2253 escapes of a subject.
 */
export class ForwardedClientCert {
  private readonly data: ClientCertData;
  /** By handshake: every request of a connection says the same. */
  private readonly texts: WeakMap<TlsFacts, string>;
  private readonly objects: WeakMap<TlsFacts, string>;

  constructor(data: ClientCertData) {
    this.data = data;
    this.texts = new WeakMap();
    this.objects = new WeakMap();
  }

  /** @param tls with a certificate of the client */
  write(headers: Headers, tls: TlsFacts): void {
    switch (this.data.mode) {
      case 'SANITIZE_SET':
        headers.set(clientCertHeader, this.alone(tls));
        return;
      case 'APPEND_FORWARD':
        headers.set(clientCertHeader, this.behind(headers.get(clientCertHeader) ?? '', tls));
        return;
      case 'SANITIZE':
      case 'FORWARD_ONLY':
      case 'ALWAYS_FORWARD_ONLY':
        return;
    }
  }

  private alone(tls: TlsFacts): string {
    return this.data.format === 'JSON' ? `[${this.object(tls)}]` : this.text(tls);
  }

  /** What is there decides the form of what is appended to it, whatever `format` says. */
  private behind(earlier: string, tls: TlsFacts): string {
    if (earlier === '') return this.alone(tls);
    if (earlier.startsWith('[') && earlier.endsWith(']')) return `${earlier.slice(0, -1)},${this.object(tls)}]`;
    return `${earlier},${this.text(tls)}`;
  }

  private text(tls: TlsFacts): string {
    const known = this.texts.get(tls);
    if (known !== undefined) return known;
    const made = elementText(this.data, tls, tls.peerChain[0]);
    this.texts.set(tls, made);
    return made;
  }

  private object(tls: TlsFacts): string {
    const known = this.objects.get(tls);
    if (known !== undefined) return known;
    const made = elementObject(this.data, tls, tls.peerChain[0]);
    this.objects.set(tls, made);
    return made;
  }
}

function elementText(wanted: ClientCertData, tls: TlsFacts, client: CertificateFacts): string {
  const parts = (tls.local?.uris ?? []).map((uri) => `By=${uri}`);
  parts.push(`Hash=${client.sha256}`);
  if (wanted.cert) parts.push(`Cert="${pemForHeaders(client)}"`);
  if (wanted.chain) parts.push(`Chain="${tls.peerChain.map(pemForHeaders).join('')}"`);
  if (wanted.subject) parts.push(`Subject="${client.subject}"`);
  if (wanted.uri) parts.push(...(client.uris.length === 0 ? ['URI='] : client.uris.map((uri) => `URI=${uri}`)));
  if (wanted.dns) parts.push(...client.dnsNames.map((name) => `DNS=${name}`));
  return parts.join(';');
}

/** Names without a value are left out. */
function elementObject(wanted: ClientCertData, tls: TlsFacts, client: CertificateFacts): string {
  const by = tls.local?.uris ?? [];
  const members = [by.length === 0 ? '' : `"by":${list(by)}`, `"hash":${quoteJson(client.sha256)}`];
  if (wanted.cert) members.push(`"cert":${quoteJson(client.pem)}`);
  if (wanted.chain) members.push(`"chain":${list(tls.peerChain.map(({ pem }) => pem))}`);
  if (wanted.subject && client.subject !== '') members.push(`"subject":${quoteJson(client.subject)}`);
  if (wanted.uri && client.uris.length > 0) members.push(`"uri":${list(client.uris)}`);
  if (wanted.dns && client.dnsNames.length > 0) members.push(`"dns":${list(client.dnsNames)}`);
  return `{${members.filter((member) => member !== '').join(',')}}`;
}

function list(texts: readonly string[]): string {
  return `[${texts.map(quoteJson).join(',')}]`;
}
