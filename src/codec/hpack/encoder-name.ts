import { type Indexing, indexingOf } from './field/habits.ts';
import { knownNames, staticNames, staticValues } from './field/static-table.ts';
import { textRoom, writeText } from './string-writer.ts';

/** How many chains a table's entries are spread over by their names. A power of two. */
export const chainCount = 64;

let namesMade = 0;
const none: readonly string[] = [];

/** What the encoder knows of a field name; the same object for all connections of the thread. */
export class EncoderName {
  readonly name: string;
  readonly indexing: Indexing;
  /** Index of the first entry of the static table with this name; 0: none. */
  readonly staticIndex: number;
  /** Values of the static entries, from that index on. */
  readonly staticValues: readonly string[];
  /** The chain of a dynamic table that its entries are in. */
  readonly chain: number;
  /** The name as a string literal, length and all. */
  readonly literal: Uint8Array;

  constructor(name: string) {
    this.name = name;
    this.indexing = indexingOf(name);
    this.staticIndex = knownNames.has(name) ? Math.max(0, staticNames.indexOf(name)) : 0;
    this.staticValues = this.staticIndex === 0 ? none : staticValues.filter((_, index) => staticNames[index] === name);
    this.chain = namesMade++ & (chainCount - 1);
    const literal = new Uint8Array(textRoom(name));
    this.literal = literal.slice(0, writeText(literal, 0, name, true));
  }
}

const known: ReadonlyMap<string, EncoderName> = new Map(
  [...knownNames.keys()].map((name) => [name, new EncoderName(name)]),
);

/** Bound of the memory of names that are not `known`: they come from peers. */
const learnedMax = 1024;
const learnedLengthMax = 128;

let names = new Map(known);

export function encoderName(name: string): EncoderName {
  return names.get(name) ?? learn(name);
}

/** When there are too many all are forgotten. Entries in tables keep their object, so that nothing is mistaken. */
function learn(name: string): EncoderName {
  const learned = new EncoderName(name);
  if (name.length > learnedLengthMax) return learned;
  if (names.size >= known.size + learnedMax) names = new Map(known);
  names.set(name, learned);
  return learned;
}
