import { latin1 as latin1Between } from '../../core/bytes.ts';
import { tags } from './der-reader.ts';

/**
 * The text of a string type as UTF-8, a character per byte as everywhere in heads and logs; null: it is no string type,
 * or not what its type promises.
 */
export function asn1Text(tag: number, content: Uint8Array): string | null {
  switch (tag) {
    case tags.utf8String:
      return isUtf8(content) ? latin1(content) : null;
    case tags.numericString:
    case tags.printableString:
    case tags.t61String:
    case tags.ia5String:
    case tags.visibleString:
    case tags.utcTime:
    case tags.generalizedTime:
      return utf8OfLatin1(content);
    case tags.bmpString:
      return wideText(content, 2);
    case tags.universalString:
      return wideText(content, 4);
    default:
      return null;
  }
}

/** A character per byte. */
export function latin1(bytes: Uint8Array): string {
  return latin1Between(bytes, 0, bytes.length);
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function isUtf8(bytes: Uint8Array): boolean {
  try {
    strictUtf8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function utf8OfLatin1(bytes: Uint8Array): string {
  const text = latin1(bytes);
  return bytes.every((byte) => byte < 0x80) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** Characters of two or four bytes each, the high one first; surrogates are none. */
function wideText(bytes: Uint8Array, width: 2 | 4): string | null {
  if (bytes.length % width !== 0) return null;
  let text = '';
  for (let i = 0; i < bytes.length; i += width) {
    let code = 0;
    for (let j = 0; j < width; j++) code = code * 256 + bytes[i + j];
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return null;
    text += String.fromCodePoint(code);
  }
  return Buffer.from(text, 'utf8').toString('latin1');
}
