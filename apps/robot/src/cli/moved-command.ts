/** `casare-robot moved`: an operator says that the last place of a robot is gone for good, so that a moved home need not wait. */
import { robotIdOf } from '../identity.ts';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';
import { type ConnectionFlags, withOperator } from './job-commands.ts';
import type { Terminal } from './terminal.ts';

export async function movedCommand(
  flags: ConnectionFlags & { readonly id?: string },
  terminal: Terminal,
): Promise<number> {
  const { robotId, isKnown } = await withOperator(flags, async ({ gateway }, { robot }) => {
    const found = flags.id ?? robot.id ?? (await robotIdOf(robot.home));
    if (found === null) {
      throw new CliError(exitCodes.usage, `${robot.home} is no robot's home yet; say with --id which robot is meant`);
    }
    return { robotId: found, isKnown: await gateway.releaseInstance(found) };
  });
  if (flags.json) terminal.print(JSON.stringify({ robot_id: robotId, released: isKnown }));
  if (!isKnown) throw new CliError(exitCodes.failed, `the database knows no robot ${robotId}`);
  if (!flags.json) {
    terminal.print(`${robotId}: the home that is started next takes its place, and goes on with its jobs`);
  }
  return exitCodes.ok;
}
