/** The parts of the control plane. One process carries any of them. */

export const roles = ['bot', 'api', 'worker'] as const;
export type Role = (typeof roles)[number];
