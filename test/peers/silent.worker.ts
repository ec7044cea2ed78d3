/** A port whose accept queue is full: connections to it neither succeed nor fail. Binds, says so, and sleeps for good. */
import { createServer } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

const server = createServer();
server.listen({ port: (workerData as { port: number }).port, host: '127.0.0.1', backlog: 1 }, () => {
  parentPort?.postMessage('bound');
  // The thread's loop never turns again, so nothing is ever accepted.
  setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
});
