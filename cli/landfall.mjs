#!/usr/bin/env node
/** The `landfall` command: prepares what the checkout lacks, then runs the command line in this process. */
import process from 'process';
import { nodeObstacle } from './bootstrap/node-version.mjs';

const obstacle = nodeObstacle(process.versions.node);
if (obstacle === null) {
  import('./bootstrap/commands.mjs').then(function start(commands) {
    return commands.runLandfall(process.argv.slice(2));
  });
} else {
  console.error(obstacle);
  process.exitCode = 1;
}
