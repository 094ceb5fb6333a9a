#!/usr/bin/env node
/** The command `casare-robot`. */
import { main } from './cli/program.ts';

// Whoever read the output may go (`| head`); the command, a running robot above all, goes on without a reader.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

process.exitCode = await main(process.argv.slice(2));
