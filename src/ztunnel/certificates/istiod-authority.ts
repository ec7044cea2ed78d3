import { createPrivateKey, generateKeyPair, X509Certificate, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { GrpcChannel, Metadata } from '../../agent/grpc/grpc-channel.ts';
import { createCertificatePath, decodeChain, encodeWish } from '../../agent/identity/ca-messages.ts';
import { readCertificate } from '../../identity/certificate.ts';
import { certificateRequestPem } from '../../identity/certificate-request.ts';
import type { CertificateAuthority, Certified } from './authority.ts';

const answerMs = 20_000;

const newKeyPair = promisify(generateKeyPair);

export interface IstiodAuthorityOptions {
  readonly channel: GrpcChannel;
  readonly metadata: () => Metadata;
  readonly lifetimeMs: number;
  /** Asks for others' certificates by the node's token: shared mode. */
  readonly impersonates: boolean;
}

/** istiod's CA: certifies workloads of the node for a proxy that it trusts. */
export class IstiodAuthority implements CertificateAuthority {
  private readonly options: IstiodAuthorityOptions;

  constructor(options: IstiodAuthorityOptions) {
    this.options = options;
  }

  async certify(identity: string): Promise<Certified> {
    const { channel, metadata, lifetimeMs, impersonates } = this.options;
    const { privateKey: key } = await newKeyPair('ec', { namedCurve: 'P-256' });
    const wish = encodeWish({
      request: certificateRequestPem(key, { uri: identity }),
      validitySeconds: Math.floor(lifetimeMs / 1000),
      metadata: impersonates ? { ImpersonatedIdentity: identity } : {},
    });
    return certifiedOf(
      decodeChain(await channel.ask(createCertificatePath, metadata(), wish, answerMs)),
      key,
      identity,
    );
  }

  close(): void {
    this.options.channel.close();
  }
}

/** The leaf, those in between, and the roots. @throws Error: it is not what was asked for */
function certifiedOf(chain: readonly string[], key: KeyObject, identity: string): Certified {
  if (chain.length === 0) throw new Error('the CA answered with no certificate');
  const leaf = new X509Certificate(chain[0]);
  const { uris } = readCertificate(leaf.raw);
  if (!uris.includes(identity)) throw new Error(`the CA answered with a certificate of ${uris.join(', ') || 'nobody'}`);
  if (!leaf.checkPrivateKey(createPrivateKey(key.export({ type: 'pkcs8', format: 'pem' }))))
    throw new Error('the CA answered with a certificate of another key');
  return {
    chain: chain.slice(0, Math.max(1, chain.length - 1)).join('\n'),
    key: key.export({ type: 'pkcs8', format: 'pem' }),
    roots: chain.at(-1)!,
    validFromMs: leaf.validFromDate.getTime(),
    validToMs: leaf.validToDate.getTime(),
  };
}
