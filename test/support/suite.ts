import { existsSync } from "node:fs";
import { suite as uvuSuite } from "uvu";

/** Registers one test. */
export interface RegisterTest {
  (name: string, body: () => void | Promise<void>): void;
  /** Registers a test that is skipped, visibly and with its reason, where a path of outside data is absent. */
  needs(path: string, name: string, body: () => void | Promise<void>): void;
}

/**
 * A suite that runs itself: uvu passes silently when a file forgets `test.run()`, so no file of ours calls it.
 * @param name printed before the dots
 * @param register registers the tests, synchronously
 */
export function suite(name: string, register: (test: RegisterTest) => void): void {
  const inner = uvuSuite(name);
  const add = (testName: string, body: () => void | Promise<void>): void => inner(testName, async () => body());
  const test: RegisterTest = Object.assign(add, {
    needs(path: string, testName: string, body: () => void | Promise<void>): void {
      if (existsSync(path)) {
        add(testName, body);
      } else {
        console.log(`skipped: ${name}: ${testName} (needs ${path})`);
        inner.skip();
      }
    },
  });
  register(test);
  inner.run();
}
