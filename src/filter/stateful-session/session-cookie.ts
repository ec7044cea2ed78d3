/** Field 1, a string; field 2, a varint: Envoy's message `envoy.Cookie`, of an address and when it ends. */
const addressTag = 0x0a;
const expiresTag = 0x10;

/** `expiresSeconds`: since the epoch; 0: with the client's session. */
export function writeSession(address: string, expiresSeconds: number): string {
  const text = Buffer.from(address, 'latin1');
  const bytes = [addressTag, ...varint(text.length), ...text];
  if (expiresSeconds !== 0) bytes.push(expiresTag, ...varint(expiresSeconds));
  return Buffer.from(bytes).toString('base64');
}

/** Null: it has none, or is over. What is no such message is the address itself, as it once was. */
export function readSession(value: string, nowSeconds: number): string | null {
  const bytes = Buffer.from(value, 'base64');
  const reader = new Reader(bytes);
  let address = '';
  let expires = 0;
  while (!reader.isBroken && reader.at < bytes.length) {
    const tag = reader.varint();
    if (tag === addressTag) address = reader.text();
    else if (tag === expiresTag) expires = reader.varint();
    else reader.isBroken = true;
  }
  if (reader.isBroken) return bytes.length === 0 ? null : bytes.toString('latin1');
  if (address === '' || (expires !== 0 && nowSeconds > expires)) return null;
  return address;
}

class Reader {
  at = 0;
  isBroken = false;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  varint(): number {
    let value = 0;
    for (let weight = 1; weight < 2 ** 49; weight *= 128) {
      if (this.at >= this.bytes.length) break;
      const byte = this.bytes[this.at++];
      value += (byte & 127) * weight;
      if (byte < 128) return value;
    }
    this.isBroken = true;
    return 0;
  }

  text(): string {
    const length = this.varint();
    if (this.at + length > this.bytes.length) this.isBroken = true;
    const text = Buffer.from(this.bytes.subarray(this.at, this.at + length)).toString('latin1');
    this.at += length;
    return text;
  }
}

function varint(number: number): number[] {
  const bytes: number[] = [];
  let rest = number;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}
