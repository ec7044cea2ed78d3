import type { Page } from './page.ts';

/** A parameter of an admin page, for `/help` and the forms of the home page. */
export interface Parameter {
  readonly name: string;
  readonly kind: 'text' | 'flag' | 'choice';
  readonly choices: readonly string[];
  readonly help: string;
}

/** One admin page. */
export interface Endpoint {
  readonly path: string;
  /** Changes something: POST only. */
  readonly isMutating: boolean;
  readonly help: string;
  readonly parameters: readonly Parameter[];
  readonly page: Page;
}

export function textParameter(name: string, help: string): Parameter {
  return { name, kind: 'text', choices: [], help };
}

export function flagParameter(name: string, help: string): Parameter {
  return { name, kind: 'flag', choices: [], help };
}

export function choiceParameter(name: string, choices: readonly string[], help: string): Parameter {
  return { name, kind: 'choice', choices, help };
}
