/** Protocols as ALPN sends them (RFC 7301 section 3.1). */
export function protocolList(protocols: readonly string[]): Buffer {
  return Buffer.concat(protocols.flatMap((protocol) => [Buffer.of(protocol.length), Buffer.from(protocol, 'latin1')]));
}
