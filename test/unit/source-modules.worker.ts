import { createRequire } from 'node:module';
import { parentPort } from 'node:worker_threads';
import { trustSourceNames } from '../../src/source-modules.ts';

const before = await import('../../src/core/duration.ts');
trustSourceNames();
const [after, table, { re2 }, missing] = await Promise.all([
  import('../../src/core/duration.ts'),
  import('../../src/proto/protobuf.js'),
  import('../../src/core/re2.ts'),
  import(new URL('../../src/core/none.ts', import.meta.url).href).catch((error: Error) => error.message),
]);
parentPort!.postMessage({
  isSame: before === after,
  hasProtobuf: typeof table.fromBinary === 'function',
  hasPackage: re2() === createRequire(import.meta.url)('re2js'),
  missing,
});
