import { Server, ServerCredentials, type status, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import type { AtEnd } from './scope.ts';

const asIs = (bytes: Buffer): Buffer => bytes;

/** What one method says: a message, a gRPC status, or nothing ever. */
export type Said = Uint8Array | { readonly code: status } | null;

/**
 * One unary method as @grpc/grpc-js serves it; the port of 127.0.0.1 that it listens on.
 * @param path `/package.Service/Method`
 */
export async function serveMethod(
  path: string,
  answer: (question: Buffer, metadata: Readonly<Record<string, unknown>>) => Said,
  atEnd: AtEnd,
  credentials = ServerCredentials.createInsecure(),
): Promise<number> {
  const server = new Server();
  const method = {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
  const handle = (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>): void => {
    const said = answer(call.request, call.metadata.getMap());
    if (said instanceof Uint8Array) done(null, Buffer.from(said));
    else if (said !== null) done(said);
  };
  server.addService({ Method: method }, { Method: handle });
  atEnd(() => server.forceShutdown());
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, port) => (error === null ? resolve(port) : reject(error)));
  });
}
