/**
 * A storm of handshakes: so many at once, every so many milliseconds, each closed when it is done.
 *
 * `node bench/load/handshakes.ts '{"port":…,"burst":…,"everyMs":…,"seconds":…}'` prints one line of JSON.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';

export interface StormLoad {
  readonly port: number;
  readonly burst: number;
  readonly everyMs: number;
  readonly seconds: number;
}

export interface StormResult {
  readonly handshakes: number;
  readonly failures: number;
}

async function storm({ port, burst, everyMs, seconds }: StormLoad): Promise<StormResult> {
  const count = { handshakes: 0, failures: 0, open: 0 };
  const begin = () => {
    count.open++;
    const socket = connect({ port, host: '127.0.0.1', servername: 'bench.example.com', rejectUnauthorized: false });
    socket.once('secureConnect', () => {
      count.handshakes++;
      socket.destroy();
    });
    socket.once('error', () => count.failures++);
    socket.once('close', () => count.open--);
  };
  const until = performance.now() + seconds * 1000;
  while (performance.now() < until) {
    for (let i = 0; i < burst; i++) begin();
    await sleep(everyMs);
  }
  const patience = performance.now() + 5000;
  while (count.open > 0 && performance.now() < patience) await sleep(10);
  return { handshakes: count.handshakes, failures: count.failures + count.open };
}

if (import.meta.main) {
  console.log(JSON.stringify(await storm(JSON.parse(process.argv[2] ?? '{}') as StormLoad)));
  process.exit(0);
}
