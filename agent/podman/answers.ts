/** The engine's answers, as far as the agent reads them: parsed once, here. */
import Type, { type Static, type TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { EngineError } from './errors.ts';

/** An entry of `GET /containers/json?all=true`. */
const ListedContainer = Type.Object({
  Id: Type.String(),
  Names: Type.Array(Type.String()),
  State: Type.String(),
  Pid: Type.Integer(),
  ExitCode: Type.Integer(),
  Image: Type.String(),
  /** Unix seconds. */
  StartedAt: Type.Integer(),
  Labels: Type.Union([Type.Record(Type.String(), Type.String()), Type.Null()]),
});
export type ListedContainer = Static<typeof ListedContainer>;
export const parseContainers = parser('the list of containers', Type.Array(ListedContainer));

const InspectedContainer = Type.Object({
  Id: Type.String(),
  State: Type.Object({
    Status: Type.String(),
    Pid: Type.Integer(),
    ExitCode: Type.Integer(),
    OOMKilled: Type.Boolean(),
    StartedAt: Type.String(),
  }),
  /** A number from Podman 4, a name from Podman 5. */
  Config: Type.Object({ StopTimeout: Type.Integer(), StopSignal: Type.Union([Type.Integer(), Type.String()]) }),
  HostConfig: Type.Object({ LogConfig: Type.Object({ Type: Type.String(), Path: Type.String() }) }),
  NetworkSettings: Type.Object({
    Networks: Type.Optional(Type.Record(Type.String(), Type.Object({ IPAddress: Type.String() }))),
  }),
});
export type InspectedContainer = Static<typeof InspectedContainer>;
export const parseInspected = parser('a container', InspectedContainer);

export const parseCreated = parser('a created container', Type.Object({ Id: Type.String() }));

const ExecResult = Type.Object({ Running: Type.Boolean(), ExitCode: Type.Integer() });
export const parseExec = parser('an exec session', ExecResult);

/** `DELETE /containers/…` answers 200 with an error inside. */
const Removal = Type.Array(Type.Object({ Id: Type.String(), Err: Type.Optional(Type.Unknown()) }));
export const parseRemoval = parser('a removal', Removal);

/** An entry of `GET /images/json`. */
const ListedImage = Type.Object({
  Id: Type.String(),
  /** As it was pulled or tagged; a digest counts as a name of its own. */
  Names: Type.Optional(Type.Union([Type.Array(Type.String()), Type.Null()])),
  /** That use it, running or not. */
  Containers: Type.Integer(),
});
export type ListedImage = Static<typeof ListedImage>;
export const parseImages = parser('the list of images', Type.Array(ListedImage));

const InspectedNetwork = Type.Object({
  name: Type.String(),
  network_interface: Type.Optional(Type.String()),
  dns_enabled: Type.Boolean(),
  subnets: Type.Optional(Type.Array(Type.Object({ subnet: Type.String(), gateway: Type.Optional(Type.String()) }))),
});
export type InspectedNetwork = Static<typeof InspectedNetwork>;
export const parseNetwork = parser('a network', InspectedNetwork);

const Info = Type.Object({ version: Type.Object({ Version: Type.String() }) });
export const parseInfo = parser('the version', Info);

/** One line of `POST /images/pull`. */
const PullProgress = Type.Object({
  stream: Type.Optional(Type.String()),
  error: Type.Optional(Type.String()),
  id: Type.Optional(Type.String()),
});
export type PullProgress = Static<typeof PullProgress>;
export const parsePullProgress = parser('the progress of a pull', PullProgress);

/** One line of `GET /events`. */
const EngineEvent = Type.Object({
  Type: Type.String(),
  Action: Type.String(),
  Actor: Type.Object({ ID: Type.String(), Attributes: Type.Record(Type.String(), Type.String()) }),
});
export type EngineEvent = Static<typeof EngineEvent>;
export const parseEvent = parser('an event', EngineEvent);

function parser<T extends TSchema>(what: string, schema: T): (text: string) => Static<T> {
  const validator = Compile(schema);
  return (text) => {
    const value: unknown = json(what, text);
    if (validator.Check(value)) return value;
    const [first] = validator.Errors(value);
    const where = first === undefined ? '' : ` at ${first.instancePath}: ${first.message}`;
    throw new EngineError(
      'engine_unintelligible',
      `The container engine's answer for ${what} is not understood${where}.`,
    );
  };
}

function json(what: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new EngineError('engine_unintelligible', `The container engine's answer for ${what} is not JSON.`, { cause });
  }
}
