/**
 * The name of a packed resource: field 1 of every kind that control planes give. Nothing else is looked at, so that a
 * list of thousands is not read twice.
 * @throws Error: the bytes are no message
 */
export function packedName(bytes: Uint8Array): string {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; at < bytes.length; scale *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      // Ten bytes are the longest.
      if (scale >= 128 ** 9) break;
    }
    throw new Error('the message is cut off or malformed');
  };
  const skip = (length: number): void => {
    if (length > bytes.length - at) throw new Error('the message is cut off');
    at += length;
  };
  let name = '';
  while (at < bytes.length) {
    const tag = varint();
    const wire = tag % 8;
    if (wire === lengthPrefixed) {
      const length = varint();
      const from = at;
      skip(length);
      if (tag === nameTag) name = utf8.decode(bytes.subarray(from, at));
    } else if (wire === 0) varint();
    else if (wire === 1) skip(8);
    else if (wire === 5) skip(4);
    else throw new Error(`the message has a field of the unknown wire type ${wire}`);
    // As it is written by everyone, the name comes first.
    if (name !== '') return name;
  }
  return name;
}

const lengthPrefixed = 2;
const nameTag = 8 + lengthPrefixed;
const utf8 = new TextDecoder('utf-8', { fatal: true });
