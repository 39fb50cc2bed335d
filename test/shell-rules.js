/**
 * Lint rules that keep shells out (P66): what a person named becomes an argument, never part of a command line.
 * In a selector's pattern a slash would end it, so "nothing of a name" stands before the name of a shell.
 */
const module = '[source.value=/^(node:)?child_process$/]';
const isShell = 'value=/(^|[^a-z0-9_.-])(ba|da|a|z|k)?sh$/';
const isCommandOption = 'value=/^-[a-z]*c$/';
const starters = '/^(spawn|execFile)(Sync)?$/';
const startsShell = `CallExpression[callee.name=${starters}][arguments.0.${isShell}]`;

const selectors = [
  // `exec` hands a string to a shell. The others keep their names, so that the rules below see their calls.
  `ImportDeclaration${module} ImportSpecifier:matches([imported.name=/^exec(Sync)?$/], [imported.value=/^exec(Sync)?$/])`,
  `ImportDeclaration${module} ImportSpecifier[imported.name=${starters}]:not([local.name=${starters}])`,
  `ImportDeclaration${module} :matches(ImportNamespaceSpecifier, ImportDefaultSpecifier)`,
  `:matches(ExportAllDeclaration, ExportNamedDeclaration)${module}`,
  `ImportExpression${module}`,
  `CallExpression[callee.name='require'][arguments.0.value=/^(node:)?child_process$/]`,
  `CallExpression[callee.property.name='getBuiltinModule'][arguments.0.value=/^(node:)?child_process$/]`,
  // The option that makes a shell of every other function.
  `Property:matches([key.name='shell'], [key.value='shell']) > :matches(Literal[value=true], Literal[value=/./], TemplateLiteral)`,
  // A shell that is told what to run. `command:` is what a container runs inside.
  `CallExpression > Literal[${isShell}] + Literal[${isCommandOption}]`,
  `:not(Property[key.name='command']) > ArrayExpression > Literal[${isShell}] + Literal[${isCommandOption}]`,
  `${startsShell}:has(> ArrayExpression:has(> Literal[${isCommandOption}]))`,
  `${startsShell}:not([arguments.1.type='ArrayExpression'])`,
];

/** @type {{ selector: string, message: string }[]} */
export const shellRules = selectors.map((selector) => ({
  selector,
  message: 'No shell strings: use execFile or spawn with an argument array.',
}));
