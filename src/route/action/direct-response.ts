import type { RequestHead } from '../../core/head.ts';
import type { Formatter } from '../../observe/format/formatter.ts';
import type { Outcome } from '../../observe/outcome.ts';
import type { FormatData } from '../../observe/access-log/access-log-data.ts';
import type { DirectResponseData } from '../route-data.ts';
import type { DirectResponseAction, RouteBuildContext } from '../route.ts';
import { ownLocation } from './location.ts';

export class DirectResponse implements DirectResponseAction {
  readonly kind: 'direct';
  readonly status: number;
  readonly body: string;
  readonly contentType: string;
  private readonly formatter: Formatter | null;
  private readonly tellsLocation: boolean;

  constructor(data: DirectResponseData, context: RouteBuildContext) {
    const { bodyFormat } = data;
    this.kind = 'direct';
    this.status = data.status;
    this.body = data.body;
    this.formatter = bodyFormat === null ? null : context.buildFormat(bodyFormat);
    this.contentType = bodyFormat === null ? '' : contentTypeOf(bodyFormat);
    this.tellsLocation = data.status === 201 || (data.status >= 300 && data.status < 400);
  }

  formatBody(outcome: Outcome): string {
    if (this.formatter === null) return this.body;
    outcome.localReplyBody = this.body;
    return this.formatter.format(outcome);
  }

  location(head: RequestHead): string {
    return this.tellsLocation ? ownLocation(head) : '';
  }
}

function contentTypeOf(format: FormatData): string {
  if (format.contentType !== '') return format.contentType;
  return format.kind === 'json' ? 'application/json' : 'text/plain';
}
