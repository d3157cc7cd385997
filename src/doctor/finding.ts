/** What one check found. Whatever is not `ok` says what to do. */
export type Finding = {
  readonly topic: string;
  readonly state: 'ok' | 'warn' | 'fail';
  readonly message: string;
  readonly remedy?: string;
};

/** Ways to a finding about one topic. */
export const about = (topic: string) => ({
  ok: (message: string): Finding => ({ topic, state: 'ok', message }),
  warn: (message: string, remedy: string): Finding => ({ topic, state: 'warn', message, remedy }),
  fail: (message: string, remedy: string): Finding => ({ topic, state: 'fail', message, remedy }),
});
