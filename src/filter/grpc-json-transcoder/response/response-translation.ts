/** A gRPC response body on its way to what the client gets. */
export interface ResponseTranslation {
  /** What is wrong with the body, for the client; empty: nothing. */
  readonly error: string;
  /** Whether that is gRPC's framing, rather than a message. */
  readonly isFramingError: boolean;
  /** Bytes that count against the limit for bodies. */
  readonly heldSize: number;
  push(chunk: Uint8Array): void;
  /** The body is complete. */
  finish(): void;
  /** What is ready for the client; null: nothing. */
  take(): Uint8Array | null;
}

/** How the messages of a server-streaming response are set apart. */
export type StreamFraming = 'array' | 'lines' | 'events';
