/**
 * Everything that must hold before a change lands: types, lint, builds, and all tests of all packages.
 * Runs every step even when an earlier one failed, and prints the failures last.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Step {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

interface TestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages?: readonly string[] | null;
    }[];
  }[];
}

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const reportFile = join('.turbo', 'test-report.json');
const packageDirs = ['packages', 'apps'].flatMap((group) =>
  readdirSync(join(root, group))
    .map((name) => join(root, group, name))
    .filter((dir) => existsSync(join(dir, 'package.json')) && hasTests(dir)),
);

function hasTests(dir: string): boolean {
  const manifest = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as { scripts?: Record<string, string> };
  return manifest.scripts?.test !== undefined;
}

/**
 * One stage after the other, the steps of a stage side by side. The tests of most packages wait as often as they compute:
 * the robot's, which take longest, run beside those of two others at a time, which together take about as long, so that no
 * core waits for the last file of a package. The prepared database is there before many of them would each make it.
 */
const stages: readonly (readonly Step[])[] = [
  [
    { name: 'types', command: 'tsc', args: ['--noEmit', '-p', 'tsconfig.json'] },
    { name: 'lint', command: 'biome', args: ['check', '--error-on-warnings', '.'] },
    { name: 'build', command: 'turbo', args: ['run', 'build', '--concurrency=2', '--output-logs=errors-only'] },
    { name: 'prepared database', command: 'node', args: ['scripts/prepare-database.ts'] },
  ],
  [
    { name: 'tests of the robot', command: 'turbo', args: testsOf('--filter=@casare/robot') },
    { name: 'tests of the packages', command: 'turbo', args: testsOf('--filter=!@casare/robot', '--concurrency=2') },
  ],
];

function testsOf(...options: readonly string[]): string[] {
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
  return ['run', 'test', ...options, '--continue', '--output-logs=full', '--', ...reporters];
}

function run(step: Step): Promise<boolean> {
  return new Promise((resolve) => {
    const bin = join(root, 'node_modules', '.bin');
    const child = spawn(join(bin, step.command), step.args, {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: {
        ...process.env,
        PATH: `${bin}${process.platform === 'win32' ? ';' : ':'}${process.env.PATH ?? ''}`,
        TURBO_TELEMETRY_DISABLED: '1',
        DO_NOT_TRACK: '1',
      },
    });
    child.on('error', () => resolve(false));
    child.on('exit', (code) => resolve(code === 0));
  });
}

function readReports(): { passed: number; failed: number; skipped: number; failures: string[] } {
  const sum = { passed: 0, failed: 0, skipped: 0, failures: [] as string[] };
  for (const dir of packageDirs) {
    const file = join(dir, reportFile);
    const where = relative(root, dir);
    if (!existsSync(file)) {
      sum.failed += 1;
      sum.failures.push(`${where}: its tests wrote no report (they did not run, or crashed)`);
      continue;
    }
    const report = JSON.parse(readFileSync(file, 'utf8')) as TestReport;
    sum.passed += report.numPassedTests;
    sum.failed += report.numFailedTests;
    sum.skipped += report.numPendingTests;
    for (const suite of report.testResults) {
      const failedTests = suite.assertionResults.filter((test) => test.status === 'failed');
      for (const test of failedTests) {
        sum.failures.push(
          `${relative(root, suite.name)}: ${test.fullName}\n${(test.failureMessages ?? []).join('\n')}`,
        );
      }
      if (suite.status === 'failed' && failedTests.length === 0) {
        sum.failed += 1;
        sum.failures.push(`${relative(root, suite.name)}: ${suite.message ?? 'the file failed'}`);
      }
    }
  }
  return sum;
}

for (const dir of packageDirs) rmSync(join(dir, reportFile), { force: true });

const failedSteps: string[] = [];
for (const stage of stages) {
  await Promise.all(
    stage.map(async (step) => {
      console.log(`\n== ${step.name}: ${step.command} ${step.args.join(' ')}`);
      if (!(await run(step))) failedSteps.push(step.name);
    }),
  );
}

const tests = readReports();
const failures = [...tests.failures, ...failedSteps.map((name) => `step failed: ${name}`)];
if (failures.length > 0) console.log(`\n== failures\n${failures.map((failure) => `- ${failure}`).join('\n')}`);
console.log(`\n${tests.passed} passed, ${Math.max(tests.failed, failures.length)} failed, ${tests.skipped} skipped`);
process.exitCode = failures.length === 0 ? 0 : 1;
