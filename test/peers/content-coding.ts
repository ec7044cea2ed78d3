import { brotliDecompressSync, constants, gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { Pairs } from './row.ts';

/** What a body says, whatever it was compressed with: two libraries need not make the same bytes of it. latin1. */
export function decodedBody(body: string, headers: Pairs): string {
  const coding = headers.findLast(([name]) => name.toLowerCase() === 'content-encoding')?.[1];
  const bytes = Buffer.from(body, 'latin1');
  try {
    switch (coding) {
      case 'gzip':
        return gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }).toString('latin1');
      case 'br':
        return brotliDecompressSync(bytes).toString('latin1');
      case 'zstd':
        return zstdDecompressSync(bytes).toString('latin1');
      default:
        return body;
    }
  } catch {
    return body;
  }
}
