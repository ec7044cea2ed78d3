import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { trustSourceNames } from '../../src/source-modules.ts';

it('finds the modules that Node itself finds, and leaves packages to Node', async () => {
  expect(trustSourceNames).toBeTypeOf('function');
  const worker = new Worker(new URL('source-modules.worker.ts', import.meta.url));
  const [found] = (await once(worker, 'message')) as [{ missing: string }];
  await worker.terminate();
  expect(found).toEqual({
    isSame: true,
    hasProtobuf: true,
    hasPackage: true,
    missing: expect.stringContaining('none.ts') as string,
  });
});
