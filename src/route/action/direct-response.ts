import type { RequestHead } from '../../core/head.ts';
import type { Formatter } from '../../observe/formatter.ts';
import type { Outcome } from '../../observe/outcome.ts';
import type { DirectResponseData } from '../route-data.ts';
import type { DirectResponseAction, FormatCompiler } from '../route.ts';
import { ownLocation } from './location.ts';

export class DirectResponse implements DirectResponseAction {
  readonly kind: 'direct';
  readonly status: number;
  readonly body: string;
  readonly contentType: string;
  private readonly formatter: Formatter | null;
  private readonly tellsLocation: boolean;

  constructor(data: DirectResponseData, compile: FormatCompiler) {
    const { bodyFormat } = data;
    this.kind = 'direct';
    this.status = data.status;
    this.body = data.body;
    this.formatter = bodyFormat === null ? null : compile(bodyFormat.format, bodyFormat.omitEmptyValues);
    this.contentType = bodyFormat === null ? '' : bodyFormat.contentType;
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
