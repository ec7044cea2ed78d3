import type { Headers } from '../../core/headers.ts';
import type { Channel } from './channel.ts';
import type { GrpcCallUser } from './grpc-call.ts';
import type { GrpcStatus } from './grpc-status.ts';

/** Who made a call over a channel, where its end is counted. */
export class CountedUser<Response> implements GrpcCallUser<Response> {
  private readonly channel: Channel;
  private readonly user: GrpcCallUser<Response>;

  constructor(channel: Channel, user: GrpcCallUser<Response>) {
    this.channel = channel;
    this.user = user;
  }

  onReady(): void {
    this.user.onReady?.();
  }

  onHead(headers: Headers): void {
    this.user.onHead?.(headers);
  }

  onMessage(message: Response): void {
    this.user.onMessage(message);
  }

  onDrain(): void {
    this.user.onDrain?.();
  }

  onStatus(status: GrpcStatus): void {
    this.channel.close(status.code);
    this.user.onStatus(status);
  }
}
