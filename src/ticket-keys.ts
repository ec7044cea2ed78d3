/** Name 16, HMAC key 32, AES key 32. */
const keyBytes = 80;

/**
 * What the process makes session tickets with where no keys are configured. The threads share the memory; the keys are
 * in it from when something first names TLS, as making them loads Node's cryptography.
 */
export class TicketKeys {
  readonly shared: readonly Uint8Array[];
  private areMade: boolean;

  constructor() {
    this.shared = [new Uint8Array(new SharedArrayBuffer(keyBytes))];
    this.areMade = false;
  }

  make(): void {
    if (this.areMade) return;
    this.areMade = true;
    for (const key of this.shared) key.set(process.getBuiltinModule('node:crypto').randomBytes(keyBytes));
  }
}
