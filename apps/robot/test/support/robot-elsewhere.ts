/** `casare-robot` as it is, on what it takes for another machine. */
import { main } from '../../src/cli/program.ts';
import { RobotInstance } from '../../src/instance/robot-instance.ts';

const load = RobotInstance.load;
RobotInstance.load = (options) =>
  load({ ...options, place: { ...options.place, machine: 'elsewhere', host: 'elsewhere.example' } });

process.exitCode = await main(process.argv.slice(2));
