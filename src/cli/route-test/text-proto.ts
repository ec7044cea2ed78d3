import { depthMax, type ConfigObject, type ConfigValue } from '../../config/config-value.ts';
import { expectedTexts } from './route-case.ts';

/** What cannot be read, and where. */
export class TextProtoError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** Fields that may be repeated: lists, however often they are there. */
const repeated = new Set([
  'tests',
  'additional_request_headers',
  'additional_response_headers',
  'dynamic_metadata',
  'route_metadata',
  'request_header_matches',
  'response_header_matches',
  'request_header_fields',
  'response_header_fields',
]);

/** Fields whose value is wrapped in a message. */
const wrapped = new Set<string>([...expectedTexts, 'code_redirect']);

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '"': '"', "'": "'", '\\': '\\' };

/** A token: punctuation, a string, a word or number. White space and comments lie between them. */
const token = /(?:\s|#[^\n]*(?:\n|$))*(?:([{}<>[\]:;,])|("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|([\w.+-]+))/y;

/**
 * A tests file in protobuf's text format, as the value that YAML would give.
 * @throws TextProtoError
 */
export function readTextProto(text: string): ConfigObject {
  return new Reader(text).fields('');
}

class Reader {
  private readonly text: string;
  private at: number;
  private depth: number;

  constructor(text: string) {
    this.text = text;
    this.at = 0;
    this.depth = 0;
  }

  /** Up to `close`, or for the outermost message the end. */
  fields(close: string): ConfigObject {
    if (++this.depth > depthMax) throw new TextProtoError(`more than ${depthMax} messages inside each other`, this.at);
    const found: ConfigObject = {};
    while (!this.takes(close)) {
      const name = this.word();
      this.takes(':');
      const value = this.value(name);
      if (repeated.has(name)) found[name] = [...((found[name] as ConfigValue[] | undefined) ?? []), ...value];
      else if (Object.hasOwn(found, name)) throw new TextProtoError(`${name} is there twice`, this.at);
      else found[name] = value[0];
      if (!this.takes(';')) this.takes(',');
    }
    this.depth--;
    return found;
  }

  /** One, or those of a list. */
  private value(name: string): ConfigValue[] {
    if (!this.takes('[')) return [this.single(name)];
    const list: ConfigValue[] = [];
    while (!this.takes(']')) {
      list.push(this.single(name));
      this.takes(',');
    }
    return list;
  }

  private single(name: string): ConfigValue {
    const close = this.takes('{') ? '}' : this.takes('<') ? '>' : null;
    if (close !== null) {
      const inner = this.fields(close);
      return wrapped.has(name) ? (inner.value ?? '') : inner;
    }
    const begin = this.at;
    const [, , quoted, word] = this.next();
    if (word !== undefined) return word === 'true' || word === 'false' ? word === 'true' : numberOr(word);
    if (quoted === undefined) throw this.unexpected(begin);
    let text = unquoted(quoted);
    // Strings one after the other are one.
    for (let more = this.peek(); more?.[2] !== undefined; more = this.peek()) text += unquoted(this.next()[2]);
    return text;
  }

  private word(): string {
    const begin = this.at;
    const [, , , word] = this.next();
    if (word === undefined) throw this.unexpected(begin);
    return word;
  }

  /** Empty: the end of the text. */
  private takes(punctuation: string): boolean {
    const found = this.peek();
    if (punctuation === '')
      return (
        found === null &&
        this.text
          .slice(this.at)
          .replaceAll(/#[^\n]*/g, '')
          .trim() === ''
      );
    if (found?.[1] !== punctuation) return false;
    this.next();
    return true;
  }

  private peek(): RegExpExecArray | null {
    token.lastIndex = this.at;
    return token.exec(this.text);
  }

  private next(): RegExpExecArray {
    const found = this.peek();
    if (found === null) throw this.unexpected();
    this.at = token.lastIndex;
    return found;
  }

  private unexpected(at = this.at): TextProtoError {
    const rest = /\S/.exec(this.text.slice(at));
    return rest === null
      ? new TextProtoError('the text ends in the middle of a message', Math.max(0, this.text.length - 1))
      : new TextProtoError('this is no text format of protobuf', at + rest.index);
  }
}

function numberOr(word: string): ConfigValue {
  const value = Number(word);
  return Number.isSafeInteger(value) ? value : word;
}

function unquoted(text: string): string {
  return text.slice(1, -1).replaceAll(/\\(.)/g, (_, letter: string) => escapes[letter] ?? letter);
}
