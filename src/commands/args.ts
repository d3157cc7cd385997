/** A kind of argument: one parser, a usage word, a JSON schema type; the commands helper completes it. */
export type ArgKind<Value> = {
  /** Shown in usage: `<app>`. */
  readonly word: string;
  readonly required: boolean;
  /** Takes all words that are left. */
  readonly rest?: true;
  /** A flag without value. */
  readonly toggle?: true;
  /** A one-letter form of a flag, without the dash. */
  readonly short?: string;
  readonly help?: string;
  /** From words (one, or all for `rest`) or from JSON. @throws WherryError invalid */
  parse(value: unknown): Value;
};
