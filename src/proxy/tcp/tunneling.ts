import { fieldValue } from '../../core/field-value.ts';
import { HttpVersion, RequestHead } from '../../core/head.ts';
import { Headers } from '../../core/headers.ts';
import { compileFormat } from '../../observe/format/format.ts';
import type { Formatter } from '../../observe/format/formatter.ts';
import type { Outcome } from '../../observe/outcome.ts';
import { HeaderMutations } from '../../route/mutate/header-mutations.ts';
import { RequestIds } from '../http/request/request-id.ts';
import type { TunnelingData } from './tcp-proxy-data.ts';

/** Envoy's. */
const metadataNamespace = 'envoy.filters.network.tcp_proxy';

/** What a tcp_proxy asks its upstreams for when its connections leave inside HTTP streams. */
export class Tunneling {
  readonly isPost: boolean;
  private readonly hostname: Formatter;
  private readonly postPath: string;
  private readonly mutations: HeaderMutations | null;
  private readonly requestId: TunnelingData['requestId'];
  private readonly ids: RequestIds;

  constructor(data: TunnelingData) {
    this.isPost = data.usePost;
    this.hostname = compileFormat(data.hostname);
    this.postPath = data.postPath;
    this.requestId = data.requestId;
    this.ids = new RequestIds();
    const { headersToAdd: add } = data;
    this.mutations =
      add.length === 0
        ? null
        : new HeaderMutations({ remove: [], add }, 'request', (format, omitEmptyValues) =>
            compileFormat(format, { omitEmptyValues }),
          );
  }

  private addId(
    headers: Headers,
    outcome: Outcome,
    { header, metadataKey }: NonNullable<TunnelingData['requestId']>,
  ): void {
    const id = this.ids.take();
    headers.set(header, id);
    outcome.dynamicMetadata ??= new Map();
    const known = outcome.dynamicMetadata.get(metadataNamespace) as object | undefined;
    outcome.dynamicMetadata.set(metadataNamespace, { ...known, [metadataKey]: id });
  }

  /** `outcome`: of the connection that is to be carried. */
  request(outcome: Outcome): RequestHead {
    const headers = new Headers();
    const authority = fieldValue(this.hostname.format(outcome));
    const method = this.isPost ? 'POST' : 'CONNECT';
    const head = new RequestHead(method, authority, this.isPost ? this.postPath : '', HttpVersion.Http11, headers);
    head.scheme = 'http';
    this.mutations?.apply(headers, outcome);
    if (this.requestId !== null) this.addId(headers, outcome, this.requestId);
    return head;
  }
}
