import { type Tools, WherryError } from '../../src/plugin/api.ts';

const pending = 'pending';

/** Deploys that pushes ask for, one after the other for each app; several that wait for the same app are one. */
export function createDeploys(tools: Tools) {
  const running = new Set<string>();
  const again = new Set<string>();

  const deploy = async (app: string): Promise<void> => {
    const repository = tools.setting('repository', app);
    if (repository === undefined) return;
    try {
      await tools.deploy(app, { repository, branch: branchOf(tools, app) });
    } catch (error) {
      if (!(error instanceof WherryError)) throw error;
      tools.note(app, `A deploy that a push asked for failed: ${error.message}`);
    }
  };

  const run = async (app: string): Promise<void> => {
    do {
      again.delete(app);
      await deploy(app);
    } while (again.has(app));
    tools.keep(pending, undefined, app);
  };

  const begin = (app: string): void => {
    if (running.has(app)) {
      again.add(app);
      return;
    }
    running.add(app);
    run(app)
      .catch(error => tools.failed('deploy', error))
      .finally(() => running.delete(app));
  };

  return {
    /** Returns at once; what was asked for is done also when the daemon ends before. */
    begin(app: string): void {
      tools.keep(pending, 'true', app);
      begin(app);
    },
    /** What a daemon that ended had left to do. */
    resume(): void {
      for (const { name } of tools.apps()) if (tools.kept(pending, name) !== undefined) begin(name);
    },
  };
}

/** The branch whose pushes count. */
export function branchOf(tools: Tools, app: string): string {
  return tools.setting('branch', app) ?? tools.app(app).branch ?? 'main';
}
