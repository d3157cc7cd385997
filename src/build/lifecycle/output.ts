import { StringDecoder } from 'node:string_decoder';

/** Characters; what is longer is cut. */
export const longestLine = 4096;

/** Cuts a program's output into lines; carriage returns (progress bars) count as line ends, very long lines are cut. */
export function createLines(emit: (line: string) => void) {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  const push = (text: string) => {
    const parts = (rest + text).split(/\r?\n|\r/);
    rest = parts.pop() ?? '';
    for (const line of parts) emit(line.slice(0, longestLine));
    if (rest.length > longestLine) {
      emit(rest.slice(0, longestLine));
      rest = '';
    }
  };
  return {
    write: (chunk: Buffer): void => push(decoder.write(chunk)),
    end(): void {
      push(decoder.end());
      if (rest !== '') emit(rest);
      rest = '';
    },
  };
}
