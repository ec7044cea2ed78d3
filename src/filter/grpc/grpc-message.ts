/**
 * gRPC's percent-encoding as Envoy does it: `%`, `~` and everything outside visible ASCII and space. A character is a
 * byte.
 */
export function encodeGrpcMessage(message: string): string {
  return message.replace(/[^ -$&-}]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}
