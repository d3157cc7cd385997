const wheel = ['|', '/', '-', '\\'];
/** Milliseconds without output before it is drawn, and between drawings. */
const patience = 1_000;
const pace = 250;
const takeBack = '\r\x1b[K';

export type Ticker = {
  /** Before output, with what it is: the line is taken back. */
  seen(bytes: Buffer): void;
  stop(): void;
};

/**
 * Shows that long work goes on while it says nothing: a wheel and the time since its last line. Only after a step was announced, and
 * never within a line, as behind a question.
 */
export function createTicker(draw: (text: string) => void, now: () => number): Ticker {
  let isWork = false;
  let atStart = true;
  let isDrawn = false;
  let last = now();
  let turn = 0;

  const clear = () => {
    if (isDrawn) draw(takeBack);
    isDrawn = false;
  };
  const timer = setInterval(() => {
    const quiet = now() - last;
    if (!isWork || !atStart || quiet < patience) return;
    draw(`${takeBack}${wheel[turn++ % wheel.length]} ${elapsed(quiet)}`);
    isDrawn = true;
  }, pace);
  timer.unref();

  return {
    seen(bytes) {
      clear();
      last = now();
      if (bytes.length === 0) return;
      isWork ||= /^[=-]{5}> /m.test(bytes.toString('latin1'));
      atStart = bytes.at(-1) === 0x0a;
    },
    stop() {
      clearInterval(timer);
      clear();
    },
  };
}

function elapsed(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} m ${seconds % 60} s`;
}
