/** Whose work a span tells of. */
export const SpanKind = { Client: 0, Server: 1 } as const;
export type SpanKind = (typeof SpanKind)[keyof typeof SpanKind];

/** What a span is known by, and what others are told of it. */
export interface SpanIdentity {
  /** 16 or 32 hexadecimal digits, lower-case. */
  readonly traceId: string;
  /** 16 digits. */
  readonly id: string;
  /** 16 digits; empty: it is the first of its trace. */
  readonly parentId: string;
  readonly kind: SpanKind;
  /** Zipkin: its id is its client's, too. */
  readonly isShared: boolean;
  /** W3C's tracestate, as it came. */
  readonly state: string;
}

/** One piece of work of a trace. Texts are bytes (latin1), as header values are. */
export class Span {
  readonly traceId: string;
  readonly id: string;
  readonly parentId: string;
  readonly kind: SpanKind;
  readonly isShared: boolean;
  readonly state: string;
  /** It is told to the collector, and its children are. */
  isSampled: boolean;
  name: string;
  /** Milliseconds since the Unix epoch, with fractions. */
  readonly startEpochMs: number;
  endEpochMs: number;
  /** Key, value, key, value … */
  readonly tags: string[];
  /** Names and moments (milliseconds since the epoch). */
  readonly events: { readonly name: string; readonly epochMs: number }[];

  constructor(identity: SpanIdentity, name: string, isSampled: boolean, startEpochMs: number) {
    this.traceId = identity.traceId;
    this.id = identity.id;
    this.parentId = identity.parentId;
    this.kind = identity.kind;
    this.isShared = identity.isShared;
    this.state = identity.state;
    this.isSampled = isSampled;
    this.name = name;
    this.startEpochMs = startEpochMs;
    this.endEpochMs = startEpochMs;
    this.tags = [];
    this.events = [];
  }

  /** The last value of a key counts. */
  tag(key: string, value: string): void {
    const { tags } = this;
    for (let i = 0; i < tags.length; i += 2) {
      if (tags[i] !== key) continue;
      tags[i + 1] = value;
      return;
    }
    tags.push(key, value);
  }

  event(name: string, epochMs: number): void {
    if (epochMs === epochMs) this.events.push({ name, epochMs });
  }
}
