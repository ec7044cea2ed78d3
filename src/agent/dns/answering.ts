import {
  encodeAnswer,
  messageBytesMax,
  parseQuery,
  RecordType,
  ResponseCode,
  truncate,
  type AnswerRecord,
} from './dns-message.ts';
import { shuffled } from './upstream-resolver.ts';

const ttlSeconds = 30;

/** Who knows the names of the mesh, and who is asked for all others. */
export interface NameSource {
  /** Whether there is an answer to anything yet. */
  readonly isKnowing: boolean;
  /** Null: no name of the mesh. */
  lookup(name: string, type: number): readonly AnswerRecord[] | null;
  /** The message as it came. Null: nobody has answered. */
  ask(query: Uint8Array, isTcp: boolean): Promise<Uint8Array | null>;
}

/** The answer to a message of DNS; null: there is nothing to say to it. */
export async function answerMessage(bytes: Uint8Array, isTcp: boolean, source: NameSource): Promise<Uint8Array | null> {
  const query = parseQuery(bytes);
  if (query === null) return null;
  const bytesMax = isTcp ? messageBytesMax : query.udpBytesMax;
  const failed = (): Uint8Array => encodeAnswer(query, ResponseCode.ServerFailure, [], ttlSeconds, bytesMax);
  if (query.name === '' || !source.isKnowing) return failed();
  const known = source.lookup(query.name, query.type);
  if (known !== null) return encodeAnswer(query, ResponseCode.NoError, mixed(known), ttlSeconds, bytesMax);
  const answer = await source.ask(bytes, isTcp);
  if (answer === null) return failed();
  return answer.length <= bytesMax ? answer : truncate(answer, query.question);
}

/** Addresses in any order, behind the alias. */
function mixed(records: readonly AnswerRecord[]): AnswerRecord[] {
  const isAlias = ({ type }: AnswerRecord): boolean => type === RecordType.CNAME;
  const addresses = records.filter((record) => !isAlias(record));
  return [...records.filter(isAlias), ...shuffled(addresses, Math.random)];
}
