import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import type { ConfigReason } from '../../config/problem.ts';
import { validate } from '../../config/validator.ts';
import type { Extensions } from '../../core/extension.ts';
import { Reasons, type Reason } from '../../core/rejection.ts';
import { fromBinary } from '../../proto/protobuf.js';

/**
 * Reads a packed resource: as its proto's rules say, then by its decoder.
 * @param check what else is refused, of the message alone
 * @param onNeeds told what must be there besides, if anything must
 * @returns a sentence where it is refused: what is wrong, and in which fields
 */
export function readResource<Desc extends DescMessage, Data extends object>(
  type: Desc,
  packed: Uint8Array,
  decode: (message: MessageShape<Desc>, reasons: Reasons) => Data | null,
  check: (message: MessageShape<Desc>) => readonly ConfigReason[] = () => [],
  onNeeds?: Extensions['onNeeds'],
): Data | string {
  let message: MessageShape<Desc>;
  try {
    message = fromBinary(type, packed);
  } catch (error) {
    return `it cannot be read: ${(error as Error).message}`;
  }
  const broken = [...validate(type, message), ...check(message)].filter(({ isWarning }) => isWarning !== true);
  if (broken.length > 0) return broken.map(sentence).join('; ');
  const reasons = new Reasons();
  const data = decode(message, reasons);
  if (data === null || !reasons.isEmpty) return reasons.list.map(sentence).join('; ');
  if (reasons.needs.length > 0) onNeeds?.(reasons.needs);
  return data;
}

/** A sentence: what a packed resource breaks of its proto's rules; empty: nothing. */
export function checkResource(type: DescMessage, packed: Uint8Array): string {
  try {
    const broken = validate(type, fromBinary(type, packed)).filter(({ isWarning }) => isWarning !== true);
    return broken.map(sentence).join('; ');
  } catch (error) {
    return `it cannot be read: ${(error as Error).message}`;
  }
}

function sentence({ path, message }: Reason): string {
  return path === '' ? message : `${path}: ${message}`;
}
