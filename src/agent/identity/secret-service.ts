import { randomUUID } from 'node:crypto';
import { GrpcCode } from '../../cluster/grpc/grpc-status.ts';
import type { Log } from '../../observe/log/log.ts';
import type { CallHandler, ServedCall } from '../grpc/grpc-server.ts';
import { decodeSecretRequest, encodeSecretAnswer, type SecretRequest } from './sds-decode.ts';
import type { SecretListener } from './secret.ts';
import type { Secrets } from './secrets.ts';

/** Names that one stream may ask for. */
const namesMax = 1000;

/** Numbers the answers of all streams, as their versions say. */
class Versions {
  private count: number;

  constructor() {
    this.count = 0;
  }

  next(): string {
    this.count++;
    return `${new Date().toISOString().slice(0, 19)}Z/${this.count}`;
  }
}

/** One stream of StreamSecrets: answers with what there is, and again with what changes. */
class SecretStream implements CallHandler, SecretListener {
  private readonly call: ServedCall;
  private readonly secrets: Secrets;
  private readonly versions: Versions;
  private readonly log: Log;
  private names: ReadonlySet<string>;
  /** Asked for, and not there yet. */
  private readonly missing: Set<string>;

  constructor(call: ServedCall, secrets: Secrets, versions: Versions, log: Log) {
    this.call = call;
    this.secrets = secrets;
    this.versions = versions;
    this.log = log;
    this.names = new Set();
    this.missing = new Set();
    secrets.listen(this);
  }

  onMessage(message: Uint8Array): void {
    let request: SecretRequest;
    try {
      request = decodeSecretRequest(message);
    } catch {
      this.end(GrpcCode.InvalidArgument, 'this is no DiscoveryRequest');
      return;
    }
    if (request.refusal !== '') this.log.warn(`a secret was refused: ${request.refusal}`);
    if (request.names.length > namesMax) {
      this.end(GrpcCode.ResourceExhausted, `more than ${namesMax} names`);
      return;
    }
    const before = this.names;
    this.names = new Set(request.names);
    for (const name of this.missing) if (!this.names.has(name)) this.missing.delete(name);
    // Without a nonce it is the first word of a stream: everything is told, as to one who knows nothing.
    this.answer(request.nonce === '' ? [...this.names] : [...this.names].filter((name) => !before.has(name)));
  }

  onSecretChanged(name: string): void {
    if (this.names.has(name)) this.answer([name]);
  }

  onClosed(): void {
    this.secrets.forget(this);
  }

  private answer(names: readonly string[]): void {
    const found = [];
    try {
      for (const name of names) {
        const secret = this.secrets.secret(name);
        if (secret === null) this.missing.add(name);
        else {
          this.missing.delete(name);
          found.push([name, secret] as const);
        }
      }
    } catch (error) {
      this.end(GrpcCode.NotFound, (error as Error).message);
      return;
    }
    if (found.length === 0) return;
    const nonce = randomUUID();
    this.call.send(encodeSecretAnswer({ secrets: found, version: this.versions.next(), nonce }));
  }

  private end(code: number, message: string): void {
    this.log.warn(`a stream of secrets ends: ${message}`);
    this.secrets.forget(this);
    this.call.end(code, message);
  }
}

/** `SecretDiscoveryService` over what the agent has. */
export class SecretService {
  private readonly secrets: Secrets;
  private readonly versions: Versions;
  private readonly log: Log;

  constructor(secrets: Secrets, log: Log) {
    this.secrets = secrets;
    this.versions = new Versions();
    this.log = log;
  }

  streamSecrets(call: ServedCall): CallHandler {
    return new SecretStream(call, this.secrets, this.versions, this.log);
  }
}
