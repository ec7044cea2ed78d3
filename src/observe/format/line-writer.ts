import { LineLiteral, type LineBytes } from '../access-log/line-bytes.ts';
import type { Outcome } from '../outcome.ts';
import { quoteJson } from './byte-string.ts';
import { JsonValue, Literal, NumberOperator, TextOperator, type Operator } from './operator.ts';

/** How a value comes into a line. */
const Kind = {
  /** Bytes as they are. */
  Text: 0,
  /** To be quoted; or null. */
  Json: 1,
  Number: 2,
} as const;
type Kind = (typeof Kind)[keyof typeof Kind];

/** One value of a line and the text before it. All of one class, so that the loop over them knows what it looks at. */
class Piece {
  readonly before: LineLiteral;
  readonly kind: Kind;
  readonly text: (outcome: Outcome) => string | null;
  readonly number: (outcome: Outcome) => number;

  constructor(before: string, operator: Operator) {
    this.before = new LineLiteral(before);
    this.text = textOf(operator);
    this.number = numberOf(operator);
    this.kind = kindOf(operator);
  }
}

/** A compiled format as it is written to a log. */
// hot: bench/access-log.ts
export class LineWriter {
  private readonly pieces: readonly Piece[];
  private readonly last: LineLiteral;
  private readonly empty: string;

  /** `empty`: what a missing value prints outside of JSON. */
  constructor(operators: readonly Operator[], empty: string) {
    const pieces: Piece[] = [];
    let before = '';
    for (const operator of operators) {
      if (operator instanceof Literal) {
        before += operator.bytes;
        continue;
      }
      pieces.push(new Piece(before, operator));
      before = '';
    }
    this.pieces = pieces;
    this.last = new LineLiteral(before);
    this.empty = empty;
  }

  write(outcome: Outcome, line: LineBytes): void {
    const { pieces } = this;
    for (let i = 0; i < pieces.length; i++) {
      const piece = pieces[i];
      line.literal(piece.before);
      if (piece.kind === Kind.Number) this.writeNumber(piece.number(outcome), line);
      else this.writeText(piece.kind, piece.text(outcome), line);
    }
    line.literal(this.last);
  }

  private writeNumber(value: number, line: LineBytes): void {
    if (value === value) line.number(Math.trunc(value));
    else line.text('null');
  }

  private writeText(kind: Kind, text: string | null, line: LineBytes): void {
    if (kind === Kind.Text) line.text(text === null ? this.empty : text);
    else if (text === null) line.text('null');
    else if (!line.quoted(text)) line.text(quoteJson(text));
  }
}

function kindOf(operator: Operator): Kind {
  if (!(operator instanceof JsonValue)) return Kind.Text;
  if (operator.inner instanceof TextOperator) return Kind.Json;
  return operator.inner instanceof NumberOperator ? Kind.Number : Kind.Text;
}

function textOf(operator: Operator): (outcome: Outcome) => string | null {
  if (operator instanceof TextOperator) return operator.read;
  if (operator instanceof JsonValue && operator.inner instanceof TextOperator) return operator.inner.read;
  return (outcome) => operator.text(outcome);
}

function numberOf(operator: Operator): (outcome: Outcome) => number {
  return operator instanceof JsonValue && operator.inner instanceof NumberOperator ? operator.inner.read : () => NaN;
}
