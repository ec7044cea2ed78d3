import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Later } from '../../../../src/agent/identity/later.ts';
import type { RevokedCertificates } from '../../../../src/identity/revocation-list.ts';
import { RevocationFile } from '../../../../src/ztunnel/certificates/revocation-file.ts';
import { LineLog } from '../../../../src/ztunnel/telemetry/line-log.ts';
import { LogLines } from '../../../../src/ztunnel/telemetry/log-lines.ts';
import { Authority } from '../../../certificates.ts';

/** Time that goes on when it is told to. */
class Steps implements Later {
  private readonly waiting: (() => void)[] = [];

  now(): number {
    return 0;
  }

  after(_delayMs: number, run: () => void): () => void {
    this.waiting.push(run);
    return () => {};
  }

  go(): void {
    for (const run of this.waiting.splice(0)) run();
  }
}

test('a file that comes, changes and is damaged', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sekisho-crl-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'ca-crl.pem');
  const put = (text: string): void => {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  };
  const root = await Authority.root();
  const [one, two] = [await root.issue(), await root.issue()];
  const told: RevokedCertificates[] = [];
  let said = '';
  const lines = new LogLines(false, (text) => (said += text));
  const steps = new Steps();
  new RevocationFile(path, steps, new LineLog(lines, 'crl'), (revoked) => told.push(revoked)).start();
  expect(told).toEqual([]);
  put(await root.revoke([one]));
  steps.go();
  steps.go();
  expect(told.map((lists) => [...lists.values()].map(({ size }) => size))).toEqual([[1]]);
  put('damaged');
  steps.go();
  steps.go();
  rmSync(path);
  steps.go();
  put(await root.revoke([one, two]));
  steps.go();
  expect(told.map((lists) => [...lists.values()].map(({ size }) => size))).toEqual([[1], [2]]);
  lines.flush();
  expect(said.match(/what was read before holds on/g)).toHaveLength(1);
});
