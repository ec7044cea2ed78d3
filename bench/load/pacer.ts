/**
 * Wakes the open loop when a request is due. Timers of the event loop are a millisecond coarse, which would send bursts;
 * this thread sleeps in a futex instead, to about 60 µs.
 */
import { workerData, type MessagePort } from 'node:worker_threads';

const { port, intervalMs, ticks } = workerData as { port: MessagePort; intervalMs: number; ticks: number };
const cell = new Int32Array(new SharedArrayBuffer(4));

port.once('message', (startedAt: number) => {
  const start = startedAt - performance.timeOrigin;
  for (let tick = 0; tick < ticks; tick++) {
    const wait = start + tick * intervalMs - performance.now();
    if (wait > 0) Atomics.wait(cell, 0, 0, wait);
    port.postMessage(null);
  }
  port.close();
});
