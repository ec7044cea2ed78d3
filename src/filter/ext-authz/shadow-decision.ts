import { FilterStateObject } from '../../observe/filter-state.ts';
import type { FieldChange } from './check.ts';

const results = { ok: 'OK', denied: 'DENIED', error: 'ERROR' } as const;

/** What would have become of a request: Envoy's `ShadowDecision`, for access logs and the filters behind. */
export class ShadowDecision extends FilterStateObject {
  private readonly result: 'OK' | 'DENIED' | 'ERROR';
  private readonly status: number;
  private readonly fields: readonly FieldChange[];

  /** `fields`: of the answer that the client does not get. */
  constructor(verdict: keyof typeof results, status: number, fields: readonly FieldChange[]) {
    super();
    this.result = results[verdict];
    this.status = status;
    this.fields = fields;
  }

  toPlain(): string {
    return JSON.stringify(this.toJson());
  }

  /** As protobuf's JSON has it: what is empty is left out. */
  toJson(): unknown {
    const headers = this.fields.map(({ name: key, value }) => (value === '' ? { key } : { key, value }));
    return {
      check_result: this.result,
      status_code: this.status,
      ...(headers.length > 0 && { response_headers: headers }),
    };
  }

  override field(name: string): string | undefined {
    if (name === 'check_result') return this.result;
    return name === 'status_code' ? String(this.status) : undefined;
  }
}
