/**
 * Node's. Taken this way, as `import` asks `node:util` for everything that it has, which loads streams and performance
 * hooks in every thread: 4 ms and 2.9 MB.
 */
export const { isDeepStrictEqual } = process.getBuiltinModule('node:util');
