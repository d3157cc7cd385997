import { WherryError } from '../domain/errors.ts';

/** Those that Wherry takes; of each other its sentence goes to `left`. */
export function sift<Given>(
  given: readonly Given[],
  left: string[],
  check: (each: Given) => unknown,
): readonly Given[] {
  return given.filter(each => {
    try {
      check(each);
      return true;
    } catch (error) {
      if (!(error instanceof WherryError)) throw error;
      left.push(error.message);
      return false;
    }
  });
}
