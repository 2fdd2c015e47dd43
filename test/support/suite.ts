import { existsSync } from "node:fs";
import { suite as uvuSuite } from "uvu";

/** Registers one test. */
export interface RegisterTest {
  (name: string, body: () => void | Promise<void>): void;
  /** Registers a test that is skipped, visibly and with its reason, where a path of outside data is absent. */
  needs(path: string, name: string, body: () => void | Promise<void>): void;
  /** Registers a test that is skipped, visibly and with its reason, where a program is not installed. */
  needsProgram(
    path: string | undefined,
    program: string,
    name: string,
    body: (path: string) => void | Promise<void>,
  ): void;
  /** Registers a test that is skipped, visibly and with its reason, where an environment variable is not set. */
  needsVariable(variable: string, name: string, body: (value: string) => void | Promise<void>): void;
}

/**
 * A suite that runs itself: uvu passes silently when a file forgets `test.run()`, so no file of ours calls it.
 * @param name printed before the dots
 * @param register registers the tests, synchronously
 */
export function suite(name: string, register: (test: RegisterTest) => void): void {
  const inner = uvuSuite(name);
  const add = (testName: string, body: () => void | Promise<void>): void => inner(testName, async () => body());
  const skip = (testName: string, missing: string): void => {
    console.log(`skipped: ${name}: ${testName} (needs ${missing})`);
    inner.skip();
  };
  const test: RegisterTest = Object.assign(add, {
    needs(path: string, testName: string, body: () => void | Promise<void>): void {
      if (existsSync(path)) add(testName, body);
      else skip(testName, path);
    },
    needsProgram(
      path: string | undefined,
      program: string,
      testName: string,
      body: (path: string) => void | Promise<void>,
    ): void {
      if (path === undefined) skip(testName, program);
      else add(testName, () => body(path));
    },
    needsVariable(variable: string, testName: string, body: (value: string) => void | Promise<void>): void {
      const value = process.env[variable];
      if (value === undefined || value === "") skip(testName, `the variable ${variable}`);
      else add(testName, () => body(value));
    },
  });
  register(test);
  inner.run();
}
