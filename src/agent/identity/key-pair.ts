import { generateKeyPair, type KeyObject } from 'node:crypto';
import { AgentError } from '../agent-error.ts';
import type { Environment } from '../environment.ts';

/** What kind of key a workload has. */
export interface KeyKind {
  readonly algorithm: 'rsa' | 'ecdsa';
  /** Bits of an RSA key. */
  readonly bits: number;
  /** Of ECDSA, by OpenSSL's name. */
  readonly curve: 'prime256v1' | 'secp384r1';
  /** `PRIVATE KEY` rather than `RSA PRIVATE KEY` or `EC PRIVATE KEY`. */
  readonly isPkcs8: boolean;
}

const bitsMin = 2048;
const curves = { P256: 'prime256v1', P384: 'secp384r1' } as const;

/** As the variables of Istio's agent say. @throws AgentError */
export function keyKind(environment: Environment): KeyKind {
  const algorithm = environment.text('ECC_SIGNATURE_ALGORITHM');
  if (algorithm !== '' && algorithm !== 'ECDSA')
    throw new AgentError(`ECC_SIGNATURE_ALGORITHM is '${algorithm}'; allowed: ECDSA`);
  const curve = environment.text('ECC_CURVE', 'P256');
  if (curve !== 'P256' && curve !== 'P384') throw new AgentError(`ECC_CURVE is '${curve}'; allowed: P256, P384`);
  const bits = environment.integer('WORKLOAD_RSA_KEY_SIZE', bitsMin);
  if (bits < bitsMin) throw new AgentError(`WORKLOAD_RSA_KEY_SIZE is ${bits}; at least ${bitsMin}`);
  return {
    algorithm: algorithm === '' ? 'rsa' : 'ecdsa',
    bits,
    curve: curves[curve],
    isPkcs8: environment.boolean('PKCS8_KEY', false),
  };
}

/** Another one each time; made beside the event loop, for an RSA key takes a tenth of a second. */
export function newKey({ algorithm, bits, curve }: KeyKind): Promise<KeyObject> {
  return new Promise((resolve, reject) => {
    const made = (error: Error | null, _: unknown, key: KeyObject): void => {
      if (error === null) resolve(key);
      else reject(error);
    };
    if (algorithm === 'rsa') generateKeyPair('rsa', { modulusLength: bits }, made);
    else generateKeyPair('ec', { namedCurve: curve }, made);
  });
}

/** PEM of the private key, in the form that its kind has. */
export function keyPem(key: KeyObject, { algorithm, isPkcs8 }: KeyKind): string {
  const type = isPkcs8 ? 'pkcs8' : algorithm === 'rsa' ? 'pkcs1' : 'sec1';
  return key.export({ format: 'pem', type });
}
