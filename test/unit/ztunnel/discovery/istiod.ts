/** A control plane of the tests: grpc-js, with messages as they are on the wire. */
import { Server, ServerCredentials, type ServerDuplexStream, type ServerUnaryCall } from '@grpc/grpc-js';
import type { sendUnaryData } from '@grpc/grpc-js';

type Stream = ServerDuplexStream<Buffer, Buffer>;

const asTheyAre = {
  requestSerialize: (bytes: Buffer) => bytes,
  requestDeserialize: (bytes: Buffer) => bytes,
  responseSerialize: (bytes: Buffer) => bytes,
  responseDeserialize: (bytes: Buffer) => bytes,
};

export interface IstiodBehaviour {
  /** A message of a stream, and how to answer. */
  readonly onRequest?: (stream: Stream, request: Buffer) => void;
  readonly onCertificate?: (request: Buffer, metadata: Readonly<Record<string, unknown>>) => Buffer;
}

export class Istiod {
  readonly port: number;
  private readonly server: Server;

  private constructor(server: Server, port: number) {
    this.server = server;
    this.port = port;
  }

  static start(behaviour: IstiodBehaviour): Promise<Istiod> {
    const server = new Server();
    server.addService(
      {
        delta: {
          path: '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources',
          requestStream: true,
          responseStream: true,
          ...asTheyAre,
        },
        certify: {
          path: '/istio.v1.auth.IstioCertificateService/CreateCertificate',
          requestStream: false,
          responseStream: false,
          ...asTheyAre,
        },
      },
      {
        delta: (stream: Stream) => {
          stream.on('data', (request: Buffer) => behaviour.onRequest?.(stream, request));
          stream.on('error', () => {});
          stream.on('end', () => stream.end());
        },
        certify: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
          answer(null, behaviour.onCertificate!(call.request, call.metadata.getMap()));
        },
      },
    );
    return new Promise((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
        if (error === null) resolve(new Istiod(server, port));
        else reject(error);
      });
    });
  }

  close(): void {
    this.server.forceShutdown();
  }
}
