import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { verdicts } from '../../unit/config/verdicts.ts';
import { findProgram, missing } from '../binaries.ts';

const envoy = findProgram('envoy');
if (envoy === null) console.log(missing('envoy'));

describe.skipIf(envoy === null)('the real Envoy says the same', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-validate-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(verdicts)('$name', ({ text, extension, isAccepted }) => {
    const file = join(folder, `bootstrap.${extension}`);
    writeFileSync(file, text);
    const flags = ['-c', file, '--mode', 'validate', '-l', 'error', '--use-dynamic-base-id', '--concurrency', '1'];
    const { status, stderr } = spawnSync(envoy!, flags, { encoding: 'utf8', timeout: 20_000 });
    expect(status === 0, stderr.slice(-1000)).toBe(isAccepted);
  });
});
