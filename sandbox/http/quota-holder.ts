/** Whose quota a request spends. */
import type { Actor } from './credentials.ts';

export function holderOf(actor: Actor): string {
  switch (actor.kind) {
    case 'anonymous':
      return 'anonymous';
    case 'app':
      return 'app';
    case 'installation':
      return `installation ID ${actor.installation.id}`;
    case 'user':
      return `user ID ${actor.user.id}`;
  }
}
