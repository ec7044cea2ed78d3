import { existsSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';

const answerTimeoutMs = 1000;

/** Whether somebody listens at a Unix socket. One that is left over is taken away. @throws Error where it cannot be */
export async function isSocketServed(path: string): Promise<boolean> {
  if (!existsSync(path) || statSync(path).isFile()) return false;
  if (await answers(path)) return true;
  rmSync(path);
  return false;
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const done = (isServed: boolean): void => {
      socket.destroy();
      resolve(isServed);
    };
    socket.setTimeout(answerTimeoutMs, () => done(false));
    socket.on('connect', () => done(true));
    socket.on('error', () => done(false));
  });
}
