/** Decides whether this version of Node will do. Written in syntax that Node 12 can read. */

const floor = [20, 19];

/** @param {string} version As in process.versions.node. @returns {string | null} What stands in the way, as a sentence. */
export function nodeObstacle(version) {
  const parts = version.split('.').map(Number);
  if (parts[0] > floor[0] || (parts[0] === floor[0] && parts[1] >= floor[1])) return null;
  return (
    'Landfall needs Node ' +
    floor.join('.') +
    ' or later, and this is Node ' +
    version +
    '. Install Node 24 (https://nodejs.org/en/download) and run the command again.'
  );
}
