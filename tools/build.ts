/**
 * `npm run build`: src → dist, as few modules as there are moments at which something is loaded. A start then reads
 * some thirty files instead of four hundred and strips no types; `src` runs as it is, only slower to start.
 */
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');

/** With all that they import; what comes first takes what several share. */
const moments: readonly { readonly name: string; readonly test: RegExp }[] = [
  { name: 'traffic', test: /\/src\/((ztunnel-)?worker-port)\.ts$/ },
  {
    name: 'begin',
    test: /\/src\/(code-cache|source-modules|inlining|cli\/(plain-flags|concurrency|version)|observe\/log\/log-[a-z]+|control\/workers)\.ts$/,
  },
  { name: 'serve', test: /\/src\/(serve|proxy\/http\/decode|filter\/router\/decode)\.ts$/ },
];

rmSync(dist, { recursive: true, force: true });
for (const name of ['main', 'worker', 'ztunnel-worker']) {
  const bundle = await rolldown({
    cwd: root,
    input: { [name]: `src/${name}.ts` },
    platform: 'node',
    // Checked by `npm run types`; nothing in it changes what the code says.
    tsconfig: false,
    preserveEntrySignatures: 'allow-extension',
  });
  await bundle.write({
    dir: dist,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: `${name}-[name].js`,
    comments: { jsdoc: false, annotation: false, legal: true },
    codeSplitting: { groups: moments.map((m, i) => ({ ...m, priority: moments.length - i })) },
  });
  await bundle.close();
}
copyFileSync(join(root, 'src/proto/descriptors.bin'), join(dist, 'descriptors.bin'));
