import { FilterStateObject } from '../../observe/filter-state.ts';

/** Envoy's `GrpcStatsObject`: the messages of one stream, for access logs. */
export class MessageCounts extends FilterStateObject {
  static readonly key = 'envoy.filters.http.grpc_stats';
  requests: number;
  responses: number;

  constructor() {
    super();
    this.requests = 0;
    this.responses = 0;
  }

  toPlain(): string {
    return `${this.requests},${this.responses}`;
  }

  /** `FilterObject` as protobuf's JSON has it: 64 bits are text, and zeros are left out. */
  toJson(): unknown {
    const json: Record<string, string> = {};
    if (this.requests > 0) json.request_message_count = String(this.requests);
    if (this.responses > 0) json.response_message_count = String(this.responses);
    return json;
  }
}
