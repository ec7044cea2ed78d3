/** An expression that finds a tag in a stat's name, in what RE2 has. */
export interface TagExpression {
  /** What a name must begin with; empty: anything. */
  readonly start: string;
  readonly expression: string;
}

/**
 * Envoy runs the expressions of tags on std::regex, and Istio looks ahead to a dot behind the first token
 * (`^listener(?=\.).*`), which RE2 cannot. Said apart it is the same: the name begins with `listener.`.
 */
export function readTagExpression(source: string): TagExpression {
  const found = /^\^(\w+)\(\?=\\\.\)(.*)$/s.exec(source);
  if (found === null) return { start: '', expression: source };
  const [, token, rest] = found;
  return { start: `${token}.`, expression: `^${token}${rest}` };
}

/** `^http\.…` and `^http(?=\.)…` can only match names that begin with the token `http`. */
export function literalFirstToken(source: string): string {
  return /^\^(\w+)(?:\\\.|\(\?=\\\.\))/.exec(source)?.[1] ?? '';
}
