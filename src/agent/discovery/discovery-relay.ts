import { GrpcCode } from '../../cluster/grpc/grpc-status.ts';
import type { Log } from '../../observe/log/log.ts';
import type { GrpcCall, GrpcChannel, Metadata } from '../grpc/grpc-channel.ts';
import type { CallHandler, Methods, ServedCall } from '../grpc/grpc-server.ts';
import {
  decodeOwnAnswer,
  delta,
  deltaPath,
  encodeOwnRequest,
  listenerType,
  stateOfTheWorld,
  stateOfTheWorldPath,
  typeOfAnswer,
  typeOfRequest,
  type MessageForm,
} from './discovery-messages.ts';

/** What the agent does with a resource of a type that is its own. @throws Error: why it is refused */
export type ResourceHandler = (message: Uint8Array) => void;

export interface RelayOptions {
  readonly channel: GrpcChannel;
  /** Read for each stream, for tokens change. */
  readonly metadata: () => Metadata;
  /** Types that the agent asks for and keeps, by their URL. */
  readonly own: ReadonlyMap<string, ResourceHandler>;
  readonly log: Log;
}

/**
 * The proxy's way to the control plane: a stream there for each stream here, messages handed on as they are, with the
 * token that the proxy does not have. Types of the agent's own are asked for behind the proxy's listeners, and their
 * answers stay here.
 */
export class DiscoveryRelay {
  readonly methods: Methods;
  /** Streams that the control plane has ended, or that it could not be reached for. */
  failures: number;
  private readonly options: RelayOptions;

  constructor(options: RelayOptions) {
    this.options = options;
    this.failures = 0;
    this.methods = {
      [stateOfTheWorldPath]: (call) => this.relay(call, stateOfTheWorldPath, stateOfTheWorld),
      [deltaPath]: (call) => this.relay(call, deltaPath, delta),
    };
  }

  close(): void {
    this.options.channel.close();
  }

  private relay(down: ServedCall, path: string, form: MessageForm): CallHandler {
    return new RelayedStream(down, path, form, this.options, () => this.failures++);
  }
}

class RelayedStream implements CallHandler {
  private readonly down: ServedCall;
  private readonly form: MessageForm;
  private readonly options: RelayOptions;
  private readonly onFailed: () => void;
  private readonly up: GrpcCall | null;
  private hasAsked: boolean;

  constructor(down: ServedCall, path: string, form: MessageForm, options: RelayOptions, onFailed: () => void) {
    this.down = down;
    this.form = form;
    this.options = options;
    this.onFailed = onFailed;
    this.hasAsked = false;
    this.up = this.open(path);
    this.up?.onDrain(() => down.resume());
    down.onDrain(() => this.up?.resume());
  }

  onMessage(message: Uint8Array): void {
    if (this.up?.send(message) === false) this.down.pause();
    if (this.hasAsked || !this.isForListeners(message)) return;
    this.hasAsked = true;
    for (const type of this.options.own.keys()) this.up?.send(encodeOwnRequest(type, this.form, null));
  }

  onClosed(): void {
    this.up?.cancel();
  }

  private open(path: string): GrpcCall | null {
    const { channel, metadata } = this.options;
    try {
      return channel.open(path, metadata(), {
        onFramedMessage: (message) => this.onAnswer(message),
        onStatus: (code, message) => this.onStatus(code, message),
      });
    } catch (error) {
      this.onStatus(GrpcCode.Unavailable, (error as Error).message);
      return null;
    }
  }

  private onAnswer(message: Uint8Array): void {
    const { own, log } = this.options;
    let type = '';
    try {
      type = own.size === 0 ? '' : typeOfAnswer(message);
    } catch {
      // The proxy says what is wrong with it.
    }
    const take = own.get(type);
    if (take === undefined) {
      if (!this.down.send(message)) this.up?.pause();
      return;
    }
    const answer = decodeOwnAnswer(message, this.form);
    let refusal = '';
    try {
      for (const resource of answer.resources) take(resource);
    } catch (error) {
      refusal = (error as Error).message;
      log.warn(`refused of the control plane: ${type}: ${refusal}`);
    }
    this.up?.send(encodeOwnRequest(type, this.form, answer, refusal));
  }

  private onStatus(code: number, message: string): void {
    this.onFailed();
    this.options.log.warn(`the control plane ended the stream: ${code === GrpcCode.Ok ? 'in good order' : message}`);
    this.down.end(code, message);
  }

  private isForListeners(message: Uint8Array): boolean {
    try {
      return typeOfRequest(message, this.form) === listenerType;
    } catch {
      return false;
    }
  }
}
