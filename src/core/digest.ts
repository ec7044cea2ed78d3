/** What tells `content` from any other: 128 bits of its SHA-256, in hexadecimal. */
export function digestOf(content: string | Uint8Array): string {
  // `node:crypto` takes 6 ms and 4 MB in a thread; few configurations have anything to be told apart.
  return process.getBuiltinModule('node:crypto').hash('sha256', content, 'hex').slice(0, 32);
}
