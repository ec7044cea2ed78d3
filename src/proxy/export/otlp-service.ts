import { HttpVersion, RequestHead } from '../../core/head.ts';
import { Headers } from '../../core/headers.ts';
import type { OtlpServiceData } from '../../observe/trace/trace-data.ts';
import { answerBytesMax, callsMax, exporterAgent, type ExportEnvironment } from './export-environment.ts';

/** Where OTLP goes, by gRPC or by HTTP: messages are sent whole, and each has its answer. */
export class OtlpService {
  private readonly data: OtlpServiceData;
  private readonly environment: ExportEnvironment;
  private readonly path: string;
  private readonly metadata: readonly (readonly [string, string])[];
  private calls: number;

  /** `path`: of the gRPC method. `namesAgent`: by gRPC, too. */
  constructor(data: OtlpServiceData, path: string, environment: ExportEnvironment, namesAgent: boolean) {
    this.data = data;
    this.environment = environment;
    this.path = path;
    const agent: (readonly [string, string])[] = namesAgent ? [['user-agent', exporterAgent]] : [];
    this.metadata =
      data.kind === 'grpc'
        ? [...agent, ...data.service.initialMetadata.map(({ key, value }) => [key, value] as const)]
        : [];
    this.calls = 0;
  }

  get isBusy(): boolean {
    return this.calls > 0;
  }

  /** `done` hears whether it was taken; perhaps before this returns. */
  send(message: Uint8Array, done: (wasTaken: boolean) => void): void {
    if (this.calls >= callsMax) {
      done(false);
      return;
    }
    this.calls++;
    const end = (wasTaken: boolean): void => {
      this.calls--;
      done(wasTaken);
    };
    if (this.data.kind === 'grpc') this.sendGrpc(message, end);
    else this.sendHttp(message, end);
  }

  private sendGrpc(message: Uint8Array, end: (wasTaken: boolean) => void): void {
    if (this.data.kind !== 'grpc') return;
    const { cluster, authority, timeoutMs, maxReceiveMessageLength, skipEnvoyHeaders } = this.data.service;
    const options = {
      timeoutMs,
      authority,
      metadata: this.metadata,
      messageBytesMax: maxReceiveMessageLength,
      skipsOwnHeaders: skipEnvoyHeaders,
    };
    this.environment.callOuts.grpc(cluster, this.path, message, options, {
      onAnswer: () => end(true),
      onFailure: () => end(false),
    });
  }

  private sendHttp(message: Uint8Array, end: (wasTaken: boolean) => void): void {
    if (this.data.kind !== 'http') return;
    const { cluster, authority, path, timeoutMs, headers: added } = this.data.collector;
    const headers = new Headers();
    headers.add('content-type', 'application/x-protobuf');
    headers.add('user-agent', exporterAgent);
    for (const [name, value] of added) headers.set(name, value);
    const head = new RequestHead('POST', authority, path, HttpVersion.Http11, headers);
    head.scheme = 'http';
    const options = { timeoutMs, bodyBytesMax: answerBytesMax, saysForWhom: true };
    this.environment.callOuts.http(cluster, head, message, options, {
      onAnswer: ({ head: { status } }) => end(status >= 200 && status < 300),
      onFailure: () => end(false),
    });
  }
}
