/** A request body on its way from what the client sent to gRPC messages. */
export interface RequestTranslation {
  /** What is wrong with the body, for the client; empty: nothing. */
  readonly error: string;
  /** Bytes that wait for the rest of their message. */
  readonly heldSize: number;
  /** A body of any size may pass, for nothing of it waits. */
  readonly isUnlimited: boolean;
  push(chunk: Uint8Array): void;
  /** The body is complete. */
  finish(): void;
  /** The gRPC messages that are ready, with their prefixes; empty: none. */
  take(): readonly Uint8Array[];
}
