/** Ends a test run with one line on standard output that counts it: `N passed, N failed, N skipped`. */
import type { Reporter, TestCase, TestModule } from 'vitest/node';

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** What the count needs of a test module: its tests' states, and errors outside of tests (imports, hooks). */
export interface FinishedModule {
  testStates: readonly ('passed' | 'failed' | 'skipped' | 'pending')[];
  errorsOutsideTests: number;
}

/** A test that never came to run, an error outside of tests and an unhandled one count as failed: nothing is lost in silence. */
export function countTests(modules: readonly FinishedModule[], unhandledErrors: number): Counts {
  const states = modules.flatMap((module) => module.testStates);
  const outside = modules.reduce((sum, module) => sum + module.errorsOutsideTests, unhandledErrors);
  const number = (state: string): number => states.filter((each) => each === state).length;
  return {
    passed: number('passed'),
    failed: number('failed') + number('pending') + outside,
    skipped: number('skipped'),
  };
}

export function countsLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

function finished(module: TestModule): FinishedModule {
  const suites = [...module.children.allSuites()];
  return {
    testStates: [...module.children.allTests()].map((test) => test.result().state),
    errorsOutsideTests: suites.reduce((sum, suite) => sum + suite.errors().length, module.errors().length),
  };
}

export default class CountingReporter implements Reporter {
  readonly #seen: FinishedModule['testStates'][number][] = [];
  #counts: Counts | null = null;

  onInit(): void {
    // Other reporters and global tear-downs write until the very end; this has to come after them.
    process.on('exit', (exitCode) => process.stdout.write(`${countsLine(this.#countsAtExit(exitCode))}\n`));
    // Cut off by a time limit, the run still ends with its count.
    process.once('SIGTERM', () => process.exit(143));
  }

  onTestCaseResult(test: TestCase): void {
    this.#seen.push(test.result().state);
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    this.#counts = countTests(modules.map(finished), unhandledErrors.length);
  }

  /** A run that never came to its end (cut off, or a global set-up that failed) is one failure more than it has seen. */
  #countsAtExit(exitCode: number): Counts {
    return this.#counts ?? countTests([{ testStates: this.#seen, errorsOutsideTests: exitCode === 0 ? 0 : 1 }], 0);
  }
}
