/** Keeps a delivery that may have ended a process apart, so that what is worked on beside it does not go down with it again and again. */

export interface Work {
  work: (guid: string) => Promise<void>;
  /** How many starts of the work on it nothing came back from. */
  openStarts: (guid: string) => Promise<number>;
}

/** A server that is killed in the midst of its work leaves one open start of each; two are no accident. */
const suspectFrom = 2;

/** Works on each delivery once at a time, and on those that are suspected one after the other. */
export function workApart({ work, openStarts }: Work): (guid: string) => Promise<void> {
  const underWay = new Map<string, Promise<void>>();
  let lastSuspect: Promise<void> = Promise.resolve();

  const workOn = async (guid: string): Promise<void> => {
    if ((await openStarts(guid)) < suspectFrom) return work(guid);
    const suspect = lastSuspect.then(() => work(guid));
    lastSuspect = suspect.catch(() => undefined);
    return suspect;
  };
  return (guid) => {
    const running = underWay.get(guid) ?? workOn(guid).finally(() => underWay.delete(guid));
    underWay.set(guid, running);
    return running;
  };
}
