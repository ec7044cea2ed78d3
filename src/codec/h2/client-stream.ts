import type { Failure } from '../../core/failure.ts';
import type { RequestHead, ResponseHead } from '../../core/head.ts';
import type { CodecStream, StreamUser } from '../../core/message-sink.ts';
import type { H2ClientCodec } from './client.ts';
import { writeRequestHead } from './message/head-writer.ts';
import { upgradeProtocol } from './message/upgrade.ts';
import { H2Stream } from './stream.ts';

/** One request as its user holds it: takes the request. What is said to it after its end is ignored. */
export class H2ClientStream extends H2Stream implements CodecStream<RequestHead> {
  declare user: StreamUser<ResponseHead>;
  declare protected readonly connection: H2ClientCodec;
  /** `:protocol` of an extended CONNECT; else empty. */
  protocol: string;
  isHead: boolean;
  isConnect: boolean;
  interimResponses: number;

  constructor(connection: H2ClientCodec, user: StreamUser<ResponseHead>) {
    super(connection, 0);
    this.user = user;
    this.protocol = '';
    this.isHead = false;
    this.isConnect = false;
    this.interimResponses = 0;
  }

  head(head: RequestHead, end: boolean): void {
    if (this.isOver || this.hasSentHead) return;
    const { connection } = this;
    const { method } = head;
    this.hasSentHead = true;
    this.isEndSaid = end;
    this.isHead = method === 'HEAD';
    this.isConnect = method === 'CONNECT';
    this.protocol = upgradeProtocol(head.headers);
    if (this.isConnect || this.protocol !== '') this.isTunnel = true;
    connection.begins(this);
    const { writer } = connection;
    writer.beginHeaders();
    writeRequestHead(writer, connection.hpackEncoder, head, this.protocol);
    connection.sendHeaders(this, end);
    connection.flush();
  }

  becomeTunnel(): void {
    this.isTunnel = true;
  }

  /** Tells the server that the request is given up. */
  reset(failure: Failure): void {
    if (!this.isOver) this.connection.onRequestReset(this, failure);
  }
}
