/** The fields of `landfall.yml`, as they are written. docs/landfall.schema.json is made from them. */
import Value from 'typebox/value';
import { isScalar, isSeq, type Node } from 'yaml';
import { listOf, mapOf, note, object, resolved, scalar, Problem, type Field, type ValueOf } from './field.ts';
import { SecretName } from './service.ts';
import { branch, cores, duration, integer, repositoryPath, size, text, variable, webAddress, yes } from './scalars.ts';
import { commandWords } from './units.ts';

const variableName = '^[A-Za-z_][A-Za-z0-9_]*$';

const name = {
  pattern: '^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$',
  expected: 'a name: lower-case letters, digits and dashes, a letter first, at most 63',
  maxEntries: 50,
};

const env = mapOf(
  { pattern: variableName, expected: 'a variable: letters, digits and _, no digit first', maxEntries: 500 },
  { description: 'Environment variables', value: variable('The value, as text') },
);

const resourceFields = {
  cpu: cores('Cores, such as 0.5'),
  memory: size('Memory, such as 256Mi', { min: '4Mi' }),
  pids: integer('Processes and threads', { min: 1, max: 1_000_000 }),
};

const byDefaultBranch = 'on a branch other than the default one, what the default branch says counts';
const resources = object(`What one replica may use; ${byDefaultBranch}`, resourceFields);

const maxCommand = 32_768;
const commandLine = scalar({ type: 'string', maxLength: maxCommand }, 'a command', ({ value }) => {
  if (typeof value !== 'string') return new Problem();
  if (value.length > maxCommand) return new Problem(`is longer than ${maxCommand} characters`);
  const words = commandWords(value);
  return words.ok ? words.words : new Problem(words.message);
});
const commandList = listOf('The program and its arguments', text('A word', { maxLength: 10_000 }), 1_000);

/** A command line (split like a shell does, without being one) or a list of words. */
function command(description: string): Field<string[]> {
  return {
    schema: { description, oneOf: [commandLine.schema, { ...commandList.schema, minItems: 1 }] },
    read(given, at) {
      if (!isSeq(resolved(given, at))) return commandLine.read(given, at);
      const words = commandList.read(given, at);
      return words?.length === 0 ? note(at, 'the command is empty', given) : words;
    },
  };
}

const buildFields = {
  context: repositoryPath('Directory that is sent to the build; the default is the root of the repository'),
  dockerfile: repositoryPath('Path from the root of the repository; the default is Dockerfile in the context'),
  target: text('Stage of the Dockerfile to build', { maxLength: 200 }),
  args: mapOf(
    { pattern: variableName, expected: 'the name of a build argument', maxEntries: 200 },
    { description: 'Build arguments', value: variable('The value, as text') },
  ),
  timeout: duration('How long the build may take', { min: '1s', max: '6h' }),
};

const buildObject = object('How the image is built', buildFields);
const build: Field<ValueOf<typeof buildObject>> = {
  schema: { oneOf: [{ ...buildFields.context.schema, description: 'The build context' }, buildObject.schema] },
  read(given, at) {
    if (!isScalarText(resolved(given, at))) return buildObject.read(given, at);
    const context = buildFields.context.read(given, at);
    return context === null ? null : { context };
  },
};

function isScalarText(node: Node | null): boolean {
  return isScalar(node) && typeof node.value === 'string';
}

const health = object('How it is asked whether it serves: by path, tcp or command', {
  path: scalar({ type: 'string', pattern: '^/' }, 'a path that starts with /', ({ value }) =>
    typeof value === 'string' && /^\/[^\s#]{0,1000}$/.test(value) ? value : new Problem(),
  ),
  tcp: yes('The port takes connections'),
  command: command('A command in the container that ends with 0'),
  interval: duration('Between two questions', { min: '100ms', max: '5m' }),
  timeout: duration('How long an answer may take', { min: '100ms', max: '1m' }),
  grace: duration('After the start, in which failures do not count', { min: '0s', max: '1h' }),
  healthy_after: integer('Good answers in a row that make it healthy', { min: 1, max: 20 }),
  unhealthy_after: integer('Bad answers in a row that make it unhealthy', { min: 1, max: 20 }),
});

const portNumber = integer('The port that the container listens on', { min: 1, max: 65_535 });
const port: Field<number | 'none'> = {
  schema: { description: 'The port that the container listens on', oneOf: [portNumber.schema, { const: 'none' }] },
  read(given, at) {
    const node = resolved(given, at);
    return isScalar(node) && node.value === 'none' ? 'none' : portNumber.read(given, at);
  },
};

const replicas = integer(`How many run at once; ${byDefaultBranch}`, { min: 0, max: 100 });

const secret = scalar({ type: 'string', pattern: variableName, maxLength: 100 }, 'the name of a secret', ({ value }) =>
  Value.Check(SecretName, value) ? value : new Problem(),
);

export const serviceField = object('One long-running workload', {
  build,
  port,
  health,
  resources,
  env,
  secrets: listOf('Secrets of the environment that become variables', secret, 200),
  replicas,
  command: command('Replaces the entrypoint and command of the image'),
  stop_grace: duration('Between SIGTERM and SIGKILL', { min: '0s', max: '1h' }),
  deadline: duration('By when every replica must be healthy', { min: '1s', max: '1h' }),
});
export type ServiceInFile = ValueOf<typeof serviceField>;

export const environmentField = object('Where the services run', {
  branch: branch('The branch whose pushes are deployed here; the default is the default branch'),
  url: webAddress('Public address'),
  env,
  services: mapOf(name, {
    description: 'What is different here, by service',
    value: object('What is different here', { replicas, env, resources }),
  }),
});
export type EnvironmentInFile = ValueOf<typeof environmentField>;

export const fileField = object(
  'What Landfall deploys',
  {
    version: scalar({ const: 1 }, '1', ({ value }) => (value === 1 ? value : new Problem())),
    services: mapOf(name, { description: 'Services by name', value: serviceField }),
    environments: mapOf(name, { description: 'Environments by name', value: environmentField }),
  },
  // A place for what aliases and merge keys repeat elsewhere.
  { ignored: '^x-' },
);
export type ConfigInFile = ValueOf<typeof fileField>;
