/** Where a reader or a validator stands, as `static_resources.listeners[0].name`; text is only made when it is asked for. */
export class FieldPath {
  readonly #steps: (string | number)[] = [];
  /** Whether the step is a map key or an index, not a field. */
  readonly #isInside: boolean[] = [];

  enterField(name: string): void {
    this.#steps.push(name);
    this.#isInside.push(false);
  }

  /** An index of a list or a key of a map. */
  enterElement(key: string | number): void {
    this.#steps.push(key);
    this.#isInside.push(true);
  }

  leave(): void {
    this.#steps.pop();
    this.#isInside.pop();
  }

  /** The path of a field of the message where this stands. */
  field(name: string): string {
    const here = this.toString();
    return here === '' ? name : `${here}.${name}`;
  }

  toString(): string {
    let text = '';
    for (let i = 0; i < this.#steps.length; i++) {
      if (this.#isInside[i]) text += `[${this.#steps[i]}]`;
      else text += text === '' ? this.#steps[i] : `.${this.#steps[i]}`;
    }
    return text;
  }
}
