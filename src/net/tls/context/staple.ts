import { readOcspResponse } from '../../../identity/ocsp-response.ts';

/** An OCSP response for a certificate, and until when it says something. */
export class Staple {
  readonly response: Uint8Array;
  private readonly untilEpochMs: number;

  constructor(response: Uint8Array, untilEpochMs: number) {
    this.response = response;
    this.untilEpochMs = untilEpochMs;
  }

  isFresh(epochMs: number): boolean {
    return epochMs < this.untilEpochMs;
  }
}

/** Null: it cannot be stapled. */
export function stapleOf(der: Uint8Array): Staple | null {
  const read = readOcspResponse(der);
  return typeof read === 'string' ? null : new Staple(der, read.nextUpdateEpochMs ?? 0);
}
