import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { ExtensionTable } from '../../../../src/control/extension-table.ts';
import { Subscriptions } from '../../../../src/control/xds/subscriptions.ts';
import { extensionEntries } from '../../../../src/extensions.ts';
import type { ConfigSourceData } from '../../../../src/identity/config-source-data.ts';
import { RecordingStats } from '../../cluster/recording-stats.ts';
import { XdsWorld } from '../xds/xds-world.ts';

/** A main thread whose resources come from files, and what it has told the workers. */
export class DiscoveryWorld<Changes> {
  readonly xds = new XdsWorld();
  readonly stats = new RecordingStats();
  readonly extensions = new ExtensionTable(extensionEntries);
  readonly told: { readonly changes: Changes; readonly kinds: readonly string[] }[] = [];
  private readonly folder = mkdtempSync(join(tmpdir(), 'sekisho-resources-'));

  constructor() {
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true }));
  }

  get environment() {
    const { xds } = this;
    return {
      clock: xds.clock,
      subscriptions: new Subscriptions(xds),
      stats: this.stats,
      setText: xds.setText,
      decoding: () => ({ extensions: this.extensions }),
      publish: (changes: Changes, kinds: readonly string[]) => void this.told.push({ changes, kinds }),
      onReady: () => {},
    };
  }

  source(file: string): ConfigSourceData {
    const path = join(this.folder, file);
    return { initialFetchTimeoutMs: 0, from: { kind: 'path', path, watchedDirectory: '' } };
  }

  put(file: string, type: string, ...resources: readonly object[]): void {
    const typed = resources.map((resource) => ({ '@type': `type.googleapis.com/${type}`, ...resource }));
    const next = join(this.folder, `${file}.next`);
    writeFileSync(next, JSON.stringify({ version_info: '1', resources: typed }));
    renameSync(next, join(this.folder, file));
  }
}
