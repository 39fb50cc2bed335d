export function nodeObstacle(version: string): string | null;
