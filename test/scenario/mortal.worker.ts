/** A worker with a bug that waits for its name. */
import { threadName } from 'node:worker_threads';

await import('../../src/worker.ts');
const mortality = new BroadcastChannel('mortality');
mortality.onmessage = ({ data }: MessageEvent) => {
  if (data === threadName) throw new Error('the bug that was waited for');
};
