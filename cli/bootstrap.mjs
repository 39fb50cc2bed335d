/**
 * What `npm run up`, `npm test` and `npm run bench` start: `node cli/bootstrap.mjs up|test|bench [arguments]`.
 * Needs nothing but Node. It and `node-version.mjs` keep to syntax that old versions of Node can read, so that
 * those get a sentence and not a stack trace.
 */
import process from 'process';
import { nodeObstacle } from './bootstrap/node-version.mjs';

const obstacle = nodeObstacle(process.versions.node);
if (obstacle === null) {
  import('./bootstrap/commands.mjs').then(function start(commands) {
    return commands.run(process.argv.slice(2));
  });
} else {
  console.error(obstacle);
  process.exitCode = 1;
}
