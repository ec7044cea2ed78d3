import { X509Certificate, type KeyObject } from 'node:crypto';
import { certificateRequestPem } from '../../identity/certificate-request.ts';
import type { GrpcChannel, Metadata } from '../grpc/grpc-channel.ts';
import { createCertificatePath, decodeChain, encodeWish } from './ca-messages.ts';
import { keyPem, newKey, type KeyKind } from './key-pair.ts';

/** What a workload is certified with. */
export interface Certified {
  /** PEM of the chain, ours first, with the root: as istiod's agent hands it on. */
  readonly chain: string;
  readonly key: string;
  /** PEM of what the CA says is to be trusted. */
  readonly roots: string;
  readonly expiresMs: number;
}

export interface CaClientOptions {
  readonly channel: GrpcChannel;
  /** Read for each call, for tokens change. */
  readonly metadata: () => Metadata;
  /** `spiffe://…`. */
  readonly identity: string;
  readonly key: KeyKind;
  readonly validitySeconds: number;
  /** ISTIO_META_CERT_SIGNER; empty: none. */
  readonly signer: string;
}

const answerTimeoutMs = 20_000;

/** Asks istiod's CA, or another that speaks as it, for certificates. */
export class CaClient {
  private readonly options: CaClientOptions;

  constructor(options: CaClientOptions) {
    this.options = options;
  }

  /** A new key and its certificate. @throws Error with what went wrong, in words for the log */
  async certify(): Promise<Certified> {
    const { channel, identity, key: kind, metadata, signer, validitySeconds } = this.options;
    const key = await newKey(kind);
    const request = certificateRequestPem(key, { uri: identity });
    const wish = encodeWish({ request, validitySeconds, metadata: { CertSigner: signer } });
    try {
      return read(await channel.ask(createCertificatePath, metadata(), wish, answerTimeoutMs), key, kind);
    } catch (error) {
      // Its certificate or our files may have changed.
      channel.close();
      throw error;
    }
  }

  close(): void {
    this.options.channel.close();
  }
}

function read(answer: Uint8Array, key: KeyObject, kind: KeyKind): Certified {
  const chain = decodeChain(answer);
  if (chain.length < 2) throw new Error(`the CA answered with ${chain.length} certificates: a chain has two or more`);
  const leaf = new X509Certificate(chain[0]);
  if (!leaf.checkPrivateKey(key)) throw new Error('the CA answered with a certificate of another key');
  return {
    chain: joined(chain),
    key: keyPem(key, kind),
    roots: chain[chain.length - 1],
    expiresMs: Date.parse(leaf.validTo),
  };
}

/** Each with the end of its line. */
function joined(parts: readonly string[]): string {
  return parts.map((part) => (part.endsWith('\n') ? part : `${part}\n`)).join('');
}
