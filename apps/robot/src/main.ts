#!/usr/bin/env node
/** The command `casare-robot`. */
import { main } from './cli/program.ts';

process.exitCode = await main(process.argv.slice(2));
