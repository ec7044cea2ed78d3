/** Istio's control plane as its proxies see it, on grpc-js: the certificate authority and the discovery service. */
import { Server, ServerCredentials, type ServerDuplexStream, type sendUnaryData } from '@grpc/grpc-js';
import type { ServerUnaryCall, ServiceDefinition } from '@grpc/grpc-js';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { Authority } from './certificates.ts';

const asIs = (bytes: Buffer): Buffer => bytes;

function method(path: string, isStream: boolean) {
  return {
    path,
    requestStream: isStream,
    responseStream: isStream,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
}

const authorityService: ServiceDefinition = {
  CreateCertificate: method('/istio.v1.auth.IstioCertificateService/CreateCertificate', false),
};
const discovery = '/envoy.service.discovery.v3.AggregatedDiscoveryService';
const discoveryService: ServiceDefinition = {
  StreamAggregatedResources: method(`${discovery}/StreamAggregatedResources`, true),
  DeltaAggregatedResources: method(`${discovery}/DeltaAggregatedResources`, true),
};

export type Call = ServerDuplexStream<Buffer, Buffer>;

/** What was asked of the authority. */
export interface AskedCertificate {
  readonly uris: readonly string[];
  readonly validitySeconds: number;
  readonly signer: string;
  readonly metadata: Record<string, unknown>;
}

export interface IstiodOptions {
  /** Of the certificates that it makes: milliseconds; else a year. */
  readonly lifeMs?: number;
  /** Names of its own certificate. */
  readonly dns?: readonly string[];
  readonly onStream?: (call: Call, isDelta: boolean) => void;
  /** Of another that it takes the place of. */
  readonly authority?: Authority;
  /** Where it listens; else 127.0.0.1. */
  readonly address?: string;
  readonly port?: number;
}

export class Istiod {
  readonly authority: Authority;
  readonly asked: AskedCertificate[];
  readonly port: number;
  /** While it is positive, a certificate is refused and it is one less. */
  refusals: number;
  private readonly server: Server;

  private constructor(authority: Authority, server: Server, port: number, asked: AskedCertificate[]) {
    this.authority = authority;
    this.server = server;
    this.port = port;
    this.asked = asked;
    this.refusals = 0;
  }

  static async start(options: IstiodOptions = {}): Promise<Istiod> {
    const authority = options.authority ?? (await Authority.root('CN=istiod'));
    const own = await authority.issue({ dns: options.dns ?? ['istiod.istio-system.svc'] });
    const server = new Server();
    const asked: AskedCertificate[] = [];
    let istiod: Istiod | null = null;
    server.addService(authorityService, {
      CreateCertificate: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
        if (istiod!.refusals > 0) {
          istiod!.refusals--;
          answer({ code: 14, details: 'not now' });
          return;
        }
        const { lifeMs } = options;
        void certify(authority, call, lifeMs, asked).then(
          (bytes) => answer(null, bytes),
          (error: Error) => answer({ code: 3, details: error.message }),
        );
      },
    });
    server.addService(discoveryService, {
      StreamAggregatedResources: (call: Call) => options.onStream?.(call, false),
      DeltaAggregatedResources: (call: Call) => options.onStream?.(call, true),
    });
    const credentials = ServerCredentials.createSsl(null, [
      { cert_chain: Buffer.from(own.chainPem), private_key: Buffer.from(own.keyPem) },
    ]);
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(`${options.address ?? '127.0.0.1'}:${options.port ?? 0}`, credentials, (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    istiod = new Istiod(authority, server, port, asked);
    return istiod;
  }

  stop(): void {
    this.server.forceShutdown();
  }
}

async function certify(
  authority: Authority,
  call: ServerUnaryCall<Buffer, Buffer>,
  lifeMs: number | undefined,
  asked: AskedCertificate[],
): Promise<Buffer> {
  const { request, validitySeconds, signer } = readWish(call.request);
  const life = lifeMs === undefined ? {} : { notBefore: new Date(), notAfter: new Date(Date.now() + lifeMs) };
  const { chainPem, uris } = await authority.certify(request, life);
  const writer = new BinaryWriter();
  for (const pem of [chainPem, authority.rootPem]) writer.tag(1, WireType.LengthDelimited).string(pem);
  const metadata = call.metadata.getMap();
  asked.push({ uris, validitySeconds, signer, metadata });
  return Buffer.from(writer.finish());
}

function readWish(bytes: Uint8Array): { request: string; validitySeconds: number; signer: string } {
  const reader = new BinaryReader(bytes);
  let request = '';
  let validitySeconds = 0;
  let signer = '';
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    if (field === 1) request = reader.string();
    else if (field === 3) validitySeconds = Number(reader.int64());
    else if (field === 4) signer = Buffer.from(reader.bytes()).toString('latin1');
    else reader.skip(wire, field);
  }
  return { request, validitySeconds, signer };
}
