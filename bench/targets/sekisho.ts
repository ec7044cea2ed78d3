import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dump } from 'js-yaml';
import { compiledCodeFolder, folderVariable } from '../../src/code-cache.ts';
import { repository } from '../../test/peers/binaries.ts';
import type { Place, Shape, Target } from '../target.ts';
import { envoyConfiguration } from './envoy-config.ts';

/** sekisho from a checkout: `sekisho` is this one, `sekisho@/another/checkout` compares two of them, `sekisho-dist` (with `@` likewise) runs what `npm run build` made. */
class Sekisho implements Target {
  readonly name: string;
  private readonly main: string;
  private readonly node: string;

  constructor(name: string, main: string) {
    this.name = name;
    this.main = main;
    this.node = process.env.NODE_BIN ?? join(repository, 'node_modules/.bin/node');
  }

  unavailable(): string | null {
    return existsSync(this.main) ? null : `skipped: no ${this.main}`;
  }

  supports(): boolean {
    return true;
  }

  prepare(shape: Shape, place: Place, workers: number): readonly string[] {
    const file = join(place.directory, 'envoy.yaml');
    writeFileSync(file, dump(envoyConfiguration(shape, place)));
    const flags = (process.env.SEKISHO_NODE_FLAGS ?? '').split(' ').filter(Boolean);
    // As `npm start` starts it.
    const codeFolder = compiledCodeFolder();
    const settings = codeFolder === null ? [] : [`${folderVariable}=${codeFolder}`];
    return [
      'env',
      ...settings,
      this.node,
      ...flags,
      this.main,
      '-c',
      file,
      '--concurrency',
      String(workers),
      '-l',
      'error',
    ];
  }
}

export function sekisho(name: string): Target {
  const checkout = name.includes('@') ? name.slice(name.indexOf('@') + 1) : repository;
  return new Sekisho(name, join(checkout, name.startsWith('sekisho-dist') ? 'dist/main.js' : 'src/main.ts'));
}
