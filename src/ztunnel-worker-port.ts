import { parentPort } from 'node:worker_threads';
import { TrafficProxies } from './ztunnel/thread/proxy-thread.ts';
import type { FromThread, ToThread } from './ztunnel/thread/thread-messages.ts';

/** A thread that carries the traffic of `sekisho ztunnel`. */
const port = parentPort!;
const post = (message: FromThread): void => port.postMessage(message);
let proxies: TrafficProxies | null = null;

port.on('message', (message: ToThread) => {
  if (message.kind === 'init') proxies = new TrafficProxies(message.data, post);
  else proxies?.handle(message);
});
