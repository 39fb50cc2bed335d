import js from '@eslint/js';
import tseslint from 'typescript-eslint';
import { layers } from './test/layers.js';
import { shellRules } from './test/shell-rules.js';

/** The import rules of docs/architecture.md, as lint: what a folder may not import, with the reason. */
const layerRules = Object.entries(layers).map(([folder, { mayImport, onlyOf = {}, bannedPackages }]) => ({
  files: [`${folder}/**/*.ts`],
  ignores: ['**/*.test.ts'],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          ...Object.keys(layers)
            .filter((other) => other !== folder && !mayImport.includes(other))
            .map((other) => ({
              regex: `^(\\.\\./)+${other}/`,
              message: `${folder}/ may not import ${other}/ (docs/architecture.md)`,
            })),
          ...Object.entries(onlyOf).map(([other, paths]) => ({
            regex: `^(\\.\\./)+${other}/(?!${paths.map((path) => path.replaceAll('.', '\\.')).join('|')})`,
            message: `${folder}/ may import of ${other}/ only ${paths.join(', ')} (docs/architecture.md)`,
          })),
          ...bannedPackages.map((name) => ({
            regex: `^${name}(/|$)`,
            message: `${folder}/ may not import ${name} (docs/architecture.md)`,
          })),
        ],
      },
    ],
  },
}));

export default tseslint.config(
  { ignores: ['dist/**', 'prisma/client/**', '**/gen/**', '.landfall/**', 'node_modules/**', 'test/fixtures/**'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/consistent-type-assertions': [
        'error',
        { assertionStyle: 'as', objectLiteralTypeAssertions: 'never' },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      // tsconfig allows no enums; the rule would ask for the type of every assignment.
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-restricted-syntax': [
        'error',
        {
          selector: "MemberExpression[object.name='process'][property.name='env']",
          message: 'Only platform/config reads the environment.',
        },
        ...shellRules,
      ],
    },
  },
  {
    // A suite of tests is one function, however many tests it has.
    files: ['**/*.{ts,js,mjs}'],
    ignores: ['**/*.test.ts'],
    rules: { 'max-lines-per-function': ['error', { max: 70, skipBlankLines: true, skipComments: true }] },
  },
  {
    files: ['core/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-globals': ['error', 'process', 'fetch', 'setTimeout', 'setInterval', 'performance'],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'The clock is an argument in core/.' },
        { object: 'Math', property: 'random', message: 'Randomness is an argument in core/.' },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: 'The clock is an argument in core/.',
        },
        { selector: 'AwaitExpression', message: 'core/ decides; it never waits.' },
        { selector: 'FunctionDeclaration[async=true]', message: 'core/ decides; it never waits.' },
        ...shellRules,
      ],
    },
  },
  {
    files: ['platform/config/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...shellRules] },
  },
  {
    files: ['**/*.test.ts', 'test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/consistent-type-assertions': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
    },
  },
  {
    files: ['**/*.{js,mjs}'],
    rules: { 'no-restricted-syntax': ['error', ...shellRules] },
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly', setTimeout: 'readonly' } },
  },
  ...layerRules,
);
