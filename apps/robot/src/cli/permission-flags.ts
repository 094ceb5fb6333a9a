/** `--allow-path`, `--allow-shell`, `--allow-net`: more permissions than the configuration gives, for this start. */
import { resolve } from 'node:path';
import type { RobotConfig } from '@casare/config';
import { type Command, Option } from 'commander';

export interface PermissionFlags {
  readonly allowPath: readonly string[];
  /** Programs; `*` for the bare flag. */
  readonly allowShell: readonly string[];
  readonly allowNet: readonly string[];
}

export function withPermissionFlags(command: Command): Command {
  const collect = (value: string, former: readonly string[]): readonly string[] => [...former, value];
  const repeatable = (flags: string, description: string): Option =>
    new Option(flags, `${description} (repeatable)`).argParser(collect).default([], 'none');
  return command
    .addOption(repeatable('--allow-path <dir>', 'let nodes use this folder besides the work folder'))
    .addOption(
      repeatable('--allow-shell [program]', 'let nodes start this program; without a name: any program').preset('*'),
    )
    .addOption(
      repeatable(
        '--allow-net <host>',
        'let nodes reach this host, host:port or network although it is loopback, link-local or a metadata service; *: all',
      ),
    );
}

/** Adds what the flags allow to what the configuration allows. */
export function allow(config: RobotConfig, { allowPath, allowShell, allowNet }: PermissionFlags): void {
  const { permissions } = config;
  permissions.allowPaths = [...permissions.allowPaths, ...allowPath.map(absolutePath)];
  permissions.allowCommands = [...permissions.allowCommands, ...allowShell];
  permissions.allowNet = [...permissions.allowNet, ...allowNet];
}

export function absolutePath(dir: string): string {
  return dir === '*' ? dir : resolve(dir);
}
