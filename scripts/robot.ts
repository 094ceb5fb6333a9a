/**
 * The command line from the checkout. A package script runs in the workspace's folder; relative paths on
 * the command line mean the folder that it was called from.
 */
process.chdir(process.env.INIT_CWD ?? process.cwd());
await import('../apps/robot/src/main.ts');
