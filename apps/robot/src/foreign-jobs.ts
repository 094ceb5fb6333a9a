/** What is said about jobs in the store that another robot has claimed: its id has changed, or the store came from elsewhere. */
import { join } from 'node:path';
import type { Logger } from '@casare/execution';

export function tellOfForeignJobs(
  ownId: string,
  home: string,
  logger: Logger,
): (robotId: string, jobIds: readonly string[]) => void {
  return (robotId, jobIds) => {
    const jobs = jobIds.length === 1 ? 'a job' : `${jobIds.length} jobs`;
    const remedy = `if this is that robot, write {"robot_id": "${robotId}"} into ${join(home, 'robot.json')} and start it again; otherwise answer for them with \`job resolve\``;
    const message = `the local store has ${jobs} that robot ${robotId} has begun, and this is robot ${ownId}: they are left alone; ${remedy}`;
    for (const job_id of jobIds.slice(0, 20)) logger.log('critical', message, { job_id });
  };
}
