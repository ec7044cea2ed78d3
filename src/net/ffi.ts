export type Ffi = typeof import('node:ffi');

/** Throws where Node has none. Node says on the first use that it is experimental; the operator has no use for that line. */
export function loadFfi(): Ffi {
  const emit = process.emitWarning.bind(process);
  process.emitWarning = () => {};
  try {
    const ffi = process.getBuiltinModule('node:ffi') as Ffi | undefined;
    if (ffi === undefined) throw new Error('this Node has no node:ffi');
    return ffi;
  } finally {
    process.emitWarning = emit;
  }
}
