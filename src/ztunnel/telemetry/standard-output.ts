import { writeSync } from 'node:fs';

const standardOutput = 1;

/** How long to wait for a reader whose pipe is full. */
const waitMs = 5;

const nobody = new Int32Array(new SharedArrayBuffer(4));

/** Writes all of it. A slow reader holds us up rather than losing lines; one that is gone is nobody's loss. */
export function writeOut(text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(standardOutput, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
      Atomics.wait(nobody, 0, 0, waitMs);
    }
  }
}
