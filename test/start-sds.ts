import { onTestFinished } from 'vitest';
import { SdsServer } from './sds-server.ts';

/** An SdsServer that ends with the test. */
export async function startSds(...at: Parameters<typeof SdsServer.start>): Promise<SdsServer> {
  const server = await SdsServer.start(...at);
  onTestFinished(() => server.stop());
  return server;
}
