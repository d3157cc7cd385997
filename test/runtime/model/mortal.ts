/**
 * What one life of control holds on to: once it is dead, no call of it comes through and none comes back, as after kill -9. Promises
 * that never settle are what its code waits for then.
 */
export function mortal<Port extends object>(port: Port, { alive, pause }: Life): Port {
  return new Proxy(port, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      return (...given: readonly unknown[]) => {
        const call = (): unknown => (alive() ? value.apply(target, given) : never);
        const result = pause && slow.has(key) ? pause().then(call) : call();
        return result instanceof Promise ? whileAlive(result, alive) : result;
      };
    },
  });
}

export type Life = {
  readonly alive: () => boolean;
  /** Before each step that takes a while; what was not begun at the death never is. */
  readonly pause?: () => Promise<void>;
};

const slow = new Set<string | symbol>(['create', 'start', 'signal', 'freeze', 'thaw', 'remove', 'list']);
const never = new Promise<never>(() => {});

async function whileAlive(result: Promise<unknown>, alive: () => boolean): Promise<unknown> {
  try {
    const value = await result;
    return alive() ? value : await never;
  } catch (error) {
    if (alive()) throw error;
    return await never;
  }
}
