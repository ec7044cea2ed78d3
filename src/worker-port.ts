import { parentPort, threadName } from 'node:worker_threads';
import { writeCompiledCode } from './code-cache.ts';
import type { FromWorker, ToWorker } from './control/worker-messages.ts';
import { HttpFilterBuilders } from './filter/builders.ts';
import { namesTls } from './identity/tls-context-kinds.ts';
import { firstPublicAddress } from './net/local-address.ts';
import { TrafficThread } from './traffic-thread.ts';

/**
 * What a worker thread hears. It is started before the configuration has been read, so that its modules load meanwhile;
 * `init` brings what it is made of.
 */
const port = parentPort!;
const post = (message: FromWorker): void => port.postMessage(message);
const filters = new HttpFilterBuilders();
let thread: TrafficThread | null = null;
if (threadName === 'worker_0') writeCompiledCode();

port.on('message', (message: ToWorker) => {
  if (message.kind === 'extensions') preload(message.names);
  else if (message.kind === 'init') thread = new TrafficThread(message.data, firstPublicAddress(), filters, post);
  else void thread?.handle(message);
});

/** What the configuration names is loaded while the main thread goes on reading it. */
function preload(names: readonly string[]): void {
  void filters.load(names);
  if (namesTls(names)) void import('./net/tls/build.ts');
}
