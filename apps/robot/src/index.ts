/** The robot as a library: what the command line uses, for programs that embed it. */
export { loadConfig, RobotConfig } from '@casare/config';
export type { RobotOverrides } from './compose.ts';
export type { Pause, PauseOptions } from './intake-pause.ts';
export { RobotAgent, type StopOptions } from './robot-agent.ts';
export type { AgentState, RobotStatus, RunningJob } from './robot-status.ts';
export { robotVersion } from './version.ts';
